"""Problems made from random numbers, whose optimum is known."""

from simulator.tasks.synthetic.logistic import Logistic
from simulator.tasks.synthetic.quadratic import Quadratic

__all__ = ["Logistic", "Quadratic"]
