"""A page that listens: speech emotion in a browser, on the reader's machine.

As a command::

    python -m speechbrain_hrf.demo <pretrained folder>
    python -m speechbrain_hrf.demo <pretrained folder> --static <new folder>

The first serves the page on this machine; the second writes it as files that
any static web server can offer, under any path. The page takes the microphone
or a file and runs ``model.onnx`` by onnxruntime-web. Nothing here needs PyTorch
or SpeechBrain.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.demo.onnxruntime_web import onnxruntime_web
from speechbrain_hrf.demo.page_files import page_files
from speechbrain_hrf.demo.server import page_server
from speechbrain_hrf.demo.static import write_page

__all__ = ["onnxruntime_web", "page_files", "page_server", "write_page"]
