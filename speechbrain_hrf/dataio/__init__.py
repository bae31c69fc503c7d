"""From files on a disk to tensors and manifests that can be trusted.

Authors
 * The speechbrain_hrf authors 2026
"""
