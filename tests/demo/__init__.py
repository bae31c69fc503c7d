"""A package, so that its files share one browser, closed after the last.

Another folder's tests may start Playwright then, which runs once at a time.

Authors
 * The speechbrain_hrf authors 2026
"""
