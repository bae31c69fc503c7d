"""In which order trials run: as they stand, but for pupils who have to wait.

Authors
 * The speechbrain_hrf authors 2026
"""

import time


def in_order(tune, trials, deadline=None):
    """Suggests trials as they stand, but teachers before their pupils.

    Arguments
    ---------
    tune : module
        ``ray.tune``
    trials : list of Trial
        Those to run.
    deadline : float, optional
        After this time (of ``time.time``) none is suggested.

    Returns
    -------
    ray.tune.search.Searcher

    Example
    -------
    >>> from types import SimpleNamespace
    >>> tune = SimpleNamespace(search=SimpleNamespace(Searcher=object))
    >>> in_order(tune, []).__class__.__name__
    'InOrder'
    """

    waiting = list(trials)
    suggested = {}  # Tune's id: ours
    # A teacher that is not to run has its line already.
    ended = {t.teacher for t in trials} - {t.id for t in trials}

    class InOrder(tune.search.Searcher):
        def suggest(self, trial_id):
            late = deadline is not None and time.time() > deadline
            if late or not waiting:
                return tune.search.Searcher.FINISHED
            trial = ready(waiting, ended)
            if trial is None:
                return None  # Tune asks again
            waiting.remove(trial)
            suggested[trial_id] = trial.id
            return {"id": trial.id}

        def on_trial_complete(self, trial_id, result=None, error=False):
            # After a failed teacher its pupils fail too, and say why.
            ended.add(suggested[trial_id])

        def save(self, checkpoint_path):
            pass  # trials.jsonl says what is left to do

        def restore(self, checkpoint_path):
            pass

    return InOrder()


def ready(waiting, ended):
    """The first trial that need not wait for its teacher.

    Arguments
    ---------
    waiting : list of Trial
    ended : collection of str
        Ids of those that do not run any more, and are not going to.

    Returns
    -------
    Trial or None

    Example
    -------
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> taught = Trial("X", "conformer", "Taught", {}, "UA", teacher="a1b2")
    >>> ready([taught], ended=set()) is None, ready([taught], {"a1b2"}).arm
    (True, 'Taught')
    """
    for trial in waiting:
        if trial.teacher is None or trial.teacher in ended:
            return trial
    return None
