"""``python -m speechbrain_hrf.studies study ...`` is ``hrf study ...``.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
