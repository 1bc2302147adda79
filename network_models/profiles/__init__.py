"""What libraries really put on the wire: collectives as posted sends and receives, played message by message."""

from network_models.profiles.gloo import Gloo
from network_models.profiles.nccl import Nccl
from network_models.profiles.registry import Profile, ProfileLike, profile

__all__ = ["Gloo", "Nccl", "Profile", "ProfileLike", "profile"]
