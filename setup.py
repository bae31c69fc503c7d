"""Installs the SpeechBrain plugin ``speechbrain_hrf``."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).resolve().parent
URL = "https://github.com/speechbrain-hrf/speechbrain_hrf"


def read(name):
    """A file of this folder as text."""
    return (HERE / name).read_text(encoding="utf-8")


def read_version():
    """The version, said once, where importing it costs nothing."""
    text = read("speechbrain_hrf/__init__.py")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def read_long_description():
    """README, whose links also lead somewhere outside this repository."""
    return re.sub(
        r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)",
        lambda link: (
            f"{link[1]}[{link[2]}]"
            f"({URL}/{'raw' if link[1] else 'blob'}/main/{link[3]})"
        ),
        read("README.md"),
    )


# Studies on any number of machines, and their reports.
STUDIES = [
    "ray>=2.40",
    "pydantic>=2.5",
    "rich>=13",
    "pandas>=2.2",
    "scipy>=1.15",
    "seaborn>=0.13",
]

# The model as ONNX; running it (speechbrain_hrf.runtime) needs only the last.
ONNX = ["onnx>=1.18", "onnxscript>=0.7", "onnxruntime>=1.18"]

if __name__ == "__main__":
    setup(
        name="speechbrain-hrf",
        version=read_version(),
        description=(
            "High-Rank Factorization (HRF) for SpeechBrain: train wider, "
            "ship the small model"
        ),
        long_description=read_long_description(),
        long_description_content_type="text/markdown",
        author="The speechbrain_hrf authors",
        url=URL,
        project_urls={
            "Documentation": f"{URL}/tree/main/docs",
            "Source": URL,
            "Issues": f"{URL}/issues",
            "Changelog": f"{URL}/blob/main/CHANGELOG.md",
        },
        keywords=[
            "speech emotion recognition",
            "re-parameterization",
            "high-rank factorization",
            "speechbrain",
            "edge AI",
            "ONNX",
        ],
        license="Apache-2.0",
        packages=find_packages(
            include=["speechbrain_hrf", "speechbrain_hrf.*"]
        ),
        package_data={
            "speechbrain_hrf": ["py.typed"],
            "speechbrain_hrf.demo": ["page/*"],
            "speechbrain_hrf.export": ["card.md"],
            "speechbrain_hrf.export.c": ["sources/*"],
            "speechbrain_hrf.studies": ["*.csv", "*.html", "*.md"],
        },
        entry_points={"console_scripts": ["hrf = speechbrain_hrf.cli:main"]},
        python_requires=">=3.10",
        # torchaudio refuses a torch that was built for another CUDA, so the pair has
        # to move together. 2.11.1 allows torch 2.11, but does not load with it: it
        # looks for torch_exception_get_what_without_backtrace, which only later
        # ones have.
        install_requires=[
            "speechbrain>=1.1.2,<1.2",
            "torch>=2.7.1,<2.12",
            "torchaudio>=2.7.1,<2.11.1",
            "hyperpyyaml>=1.2.2",
            "ruamel.yaml>=0.17.28",
            "sentencepiece>=0.1.91",
            "filelock>=3.30",
            "numpy>=1.24",
            "safetensors>=0.4.3",
            "soundfile>=0.12.1",
            "scikit-learn>=1.3",
            "matplotlib>=3.7",
            "tabulate>=0.9",
            "huggingface_hub>=0.26",
            "jinja2>=3.1",
            "tqdm>=4.64",
        ],
        extras_require={
            "hubert": ["transformers>=4.46"],
            "onnx": ONNX,
            "studies": STUDIES,
            "all": ["transformers>=4.46", *ONNX, *STUDIES],
            # The site: mkdocs serve
            "docs": [
                "mkdocs-material>=9.6",
                "mkdocstrings[python]>=1.0",
                "mkdocs-jupyter>=0.26",
                "nbclient>=0.10",
                "ipykernel>=6",
            ],
            "test": [
                *STUDIES,
                *ONNX,
                "pytest>=8.0",
                "pytest-xdist>=3.5",
                "statsmodels>=0.14",  # what ours is checked against
                # Newer ones import all of SpeechBrain's optional modules.
                "hypothesis>=6.100,<6.131",
                # Fuzzing (Apache 2.0); there is a wheel for these alone.
                "atheris>=3.0,<3.1; python_version == '3.11' "
                "and sys_platform == 'linux' and platform_machine == 'x86_64'",
                "thop>=0.1.1.post2209072238",
                "setuptools",  # thop imports distutils
                "transformers>=4.46",
                "playwright>=1.45",  # drives Chromium, where that is installed
                "mutmut>=3.8",
                "mypy>=1.15",
                "types-tabulate>=0.9",
                "build>=1.2",
                "twine>=6",
                "ruff==0.12.4",
                "yamllint==1.35.1",
                "codespell==2.3.0",
                "vermin>=1.6",
            ],
        },
        classifiers=[
            "Development Status :: 4 - Beta",
            "Intended Audience :: Science/Research",
            "Intended Audience :: Developers",
            "Programming Language :: Python :: 3",
            "Programming Language :: Python :: 3.10",
            "Programming Language :: Python :: 3.11",
            "Programming Language :: Python :: 3.12",
            "Programming Language :: Python :: 3.13",
            "Topic :: Scientific/Engineering :: Artificial Intelligence",
            "Topic :: Multimedia :: Sound/Audio :: Speech",
        ],
    )
