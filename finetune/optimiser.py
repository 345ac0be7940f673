"""A learning rate of its own for the embedding.

A hidden matrix is touched by every token and its best rate falls with the width of the model; a row of the embedding is
touched only where its token occurs, and its best rate does not (Yang et al., "Tensor Programs V", 2022, table 3). At one
rate for both, a model trained from nothing either shakes its hidden weights or hardly moves its rare words.
"""

from typing import Any


def rate_embedding(trainer: Any, rate: float) -> None:
    """Let the trainer's optimiser take `rate` for the input embedding, tied or not, where the recipe's is for the rest.

    The schedule scales both alike. Call it before training: the trainer makes its optimiser when it begins.
    """
    make = trainer.create_optimizer

    def create_optimizer(model: Any = None) -> Any:
        made = trainer.optimizer is not None
        optimiser = make(model)
        if made:
            return optimiser
        weight = (trainer.model if model is None else model).get_input_embeddings().weight
        for group in optimiser.param_groups:
            group["params"] = [parameter for parameter in group["params"] if parameter is not weight]
        optimiser.add_param_group({"params": [weight], "lr": rate})
        return optimiser

    trainer.create_optimizer = create_optimizer
