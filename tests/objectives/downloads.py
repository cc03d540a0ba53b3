"""What the tests of downloaded data share: an empty data folder, a network that answers as it is told, a check."""

import email.message
import io
import urllib.request
import urllib.response
from urllib.error import URLError

import cloudpickle
import numpy as np

from cooldown.objectives import TrainConfig, train

ONE_EPOCH = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.001}, "epochs": 1})


def without_network(tmp_path, monkeypatch):
    """A data folder of scikit-learn's with nothing in it, and no network."""
    folder = tmp_path / "scikit_learn_data"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
    answer(monkeypatch, URLError("there is no network"))
    return folder


def answer(monkeypatch, *answers):
    """What the network answers, one after the other and the last one for good: bytes, or an error."""
    left = list(answers)

    def open_address(self, request, *_):
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, bytes):
            return urllib.response.addinfourl(io.BytesIO(given), email.message.Message(), str(request))
        raise given

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", open_address)
    monkeypatch.setattr("time.sleep", lambda _: None)


def works(task):
    """The task trains an epoch, gives its problems and a fingerprint, and travels."""
    ((curve,),) = train(task, [ONE_EPOCH], [0])
    assert np.isfinite(curve.held_out_loss).all()
    problem = task.evaluation_problem(1)
    assert len(problem.train) + len(problem.held_out) == len(task.data[1])
    assert task.with_hidden(()).search_problem().model.hidden == ()
    back = cloudpickle.loads(cloudpickle.dumps(task))
    assert back.fingerprint() == task.fingerprint()
