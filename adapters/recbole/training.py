"""RecBole's own dataset, model and trainer, made from arrays. Imported in RecBole's environment alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimiser would import it, on the clock
from recbole.config import Config
from recbole.data.dataset import Dataset, KnowledgeBasedDataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.data.transform import construct_transform
from recbole.data.utils import get_dataloader
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.sampler import KGSampler, RepeatableSampler, Sampler
from recbole.utils import FeatureSource, FeatureType, ModelType, get_model, get_trainer, init_seed

from adapters.recbole.patches import apply
from adapters.recbole.rows import Rows
from benchmark.protocol import Array, Floats32, Ids, Scores

PAIRS_AT_ONCE = 2**16
"""Users times items that are scored in one call: some models keep a vector of each such pair."""

apply()


class FromArrays(Dataset):
    """Rows of users and items that are read from no file: ids are ours plus one, as 0 is RecBole's padding.

    All users and items of the log are numbered, those without a row too, as RecBole numbers those of
    validation and test when it reads a whole log.
    """

    def __init__(self, config: Config, rows: Rows) -> None:
        self.rows = rows
        super().__init__(config)

    def _load_data(self, token: str, dataset_path: str) -> None:  # noqa: ARG002 (RecBole's)
        self.user_feat = self.item_feat = None
        self._number(self.uid_field, self.rows.n_users, FeatureSource.USER_ID)
        self._number(self.iid_field, self.rows.n_items, FeatureSource.ITEM_ID)
        self.inter_feat = self._interactions()

    def _number(self, field: str, n: int, source: FeatureSource) -> None:
        """Say that a field holds ids from 1 to n, and 0 for padding."""
        self.set_field_property(field, FeatureType.TOKEN, source, 1)
        self.field2id_token[field] = range(n + 1)
        self.field2token_id[field] = {}

    def _interactions(self) -> Interaction:
        return Interaction(
            {self.uid_field: numbered(self.rows.users), self.iid_field: numbered(self.rows.items)}
        )

    def _data_processing(self) -> None:
        self.feat_name_list = ["inter_feat"]


class Graph(FromArrays, KnowledgeBasedDataset):
    """Rows of users and items, and a knowledge graph whose first entities are the items."""

    def _load_data(self, token: str, dataset_path: str) -> None:
        super()._load_data(token, dataset_path)
        graph = self.rows.graph
        assert graph is not None
        for field in (self.head_entity_field, self.tail_entity_field, self.entity_field):
            self._number(field, graph.n_entities, FeatureSource.KG)
        self._number(self.relation_field, graph.n_relations + 1, FeatureSource.KG)  # and "has an event with"
        self.kg_feat = Interaction(
            {
                self.head_entity_field: numbered(graph.heads),
                self.relation_field: numbered(graph.relations),
                self.tail_entity_field: numbered(graph.tails),
            }
        )


class Sequences(FromArrays, SequentialDataset):
    """Every row but a user's first, with the items before it; sequences are cut out batch by batch.

    RecBole's own ``data_augmentation`` makes the same rows, each with a copy of its sequence.
    """

    def _interactions(self) -> Interaction:
        users, starts = self.rows.users, self.rows.starts
        position = np.arange(len(users))
        before = position - starts[users]
        chosen = np.flatnonzero(before)
        self.list_field = self.iid_field + self.config["LIST_SUFFIX"]
        self._number(self.item_list_length_field, self.max_item_list_len, FeatureSource.INTERACTION)
        self.set_field_property(
            self.list_field, FeatureType.TOKEN_SEQ, FeatureSource.INTERACTION, self.max_item_list_len
        )
        self._targets = chosen
        return Interaction(
            {
                self.uid_field: numbered(users[chosen]),
                self.iid_field: numbered(self.rows.items[chosen]),
                self.item_list_length_field: torch.from_numpy(
                    np.minimum(before[chosen], self.max_item_list_len)
                ),
            }
        )

    def __getitem__(self, index: Array, join: bool = True) -> Interaction:
        found = super().__getitem__(index, join)
        lengths = found[self.item_list_length_field].numpy()
        found.update(Interaction({self.list_field: self.sequences(self._targets[index] - lengths, lengths)}))
        return found

    def sequences(self, first: Array, lengths: Array) -> torch.Tensor:
        """Return the items (B, L) from these positions on, so many, padded with zeros at the end."""
        places = first[:, None] + np.arange(self.max_item_list_len)
        inside = places < (first + lengths)[:, None]
        items = np.zeros(places.shape, dtype=np.int64)
        items[inside] = self.rows.items[places[inside]] + 1
        return torch.from_numpy(items)


DATASETS = {ModelType.KNOWLEDGE: Graph, ModelType.SEQUENTIAL: Sequences}
"""All other types have :class:`FromArrays`."""


def numbered(ids: Ids) -> torch.Tensor:
    """Return ids as RecBole counts them: from 1."""
    return torch.from_numpy(ids.astype(np.int64) + 1)


class Session:
    """One model of RecBole's with its rows, in training or trained.

    Attributes:
        config: RecBole's configuration.
        dataset: the rows.
        model: RecBole's model.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], rows: Rows, seed: int, device: str) -> None:
        """Make a model as RecBole's quick start does; some models are trained by that already.

        Args:
            name: the class in RecBole.
            settings: its configuration, by RecBole's keys.
            rows: what it learns from.
            seed: of Python's, numpy's and PyTorch's generators, which RecBole draws from.
            device: "cpu" or "cuda".
        """
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "0") if device == "cuda" else ""
        own = {"gpu_id": gpu, "use_gpu": device == "cuda", "seed": seed, "show_progress": False}
        self.config = Config(model=name, dataset="rows", config_dict={**settings, **own})
        self.dataset = DATASETS.get(self.config["MODEL_TYPE"], FromArrays)(self.config, rows)
        self._transform = construct_transform(self.config)  # BERT4Rec asks for keys that this sets
        cls = get_model(name)
        vars(sys.modules[cls.__module__])["print"] = lambda *_, **__: None
        init_seed(seed, self.config["reproducibility"])
        self.model = cls(self.config, self.dataset).to(self.config["device"])
        self.model.eval()

    def epochs(self, n: int) -> Iterator[None]:
        """Train n of RecBole's epochs, without its validation; the model scores after each."""
        loader = self._loader()
        trainer = get_trainer(self.config["MODEL_TYPE"], self.config["model"])(self.config, self.model)
        for epoch in range(n):
            if hasattr(self.model, "e_step") and epoch % self.config["m_step"] == 0:
                self.model.e_step()  # what NCLTrainer.fit does before an epoch
            trainer._train_epoch(loader, epoch)  # noqa: SLF001 - what Trainer.fit repeats
            self.model.eval()
            yield

    def _loader(self) -> Any:
        """Return the batches, drawn as RecBole's ``data_preparation`` draws those of train."""
        draw, kind = self.config["train_neg_sample_args"], self.config["MODEL_TYPE"]
        sampler = None
        if draw["distribution"] != "none":
            how = draw["distribution"], draw["alpha"]
            repeatable = self.config["repeatable"]
            sampler = (
                RepeatableSampler(["train"], self.dataset, *how)
                if repeatable
                else Sampler(["train"], [self.dataset], *how)
            ).set_phase("train")
        make = get_dataloader(self.config, "train")
        if kind == ModelType.KNOWLEDGE:
            return make(self.config, self.dataset, sampler, KGSampler(self.dataset, *how), shuffle=True)
        return make(self.config, self.dataset, sampler, shuffle=self.config["shuffle"])

    def score(self, users: Ids) -> Scores:
        """Return the model's scores (B, I) of all items, some users at a time.

        A user without a row gets zeros: RippleNet has nothing for such users, nor has a model of sequences.
        """
        rows = self.dataset.rows
        scores = np.zeros((len(users), rows.n_items), dtype=np.float32)
        known = np.flatnonzero(rows.starts[users + 1] > rows.starts[users])
        for places in np.array_split(known, -(-len(known) * rows.n_items // PAIRS_AT_ONCE) or 1):
            if len(places):
                scores[places] = self._answer(self._asked(users[places]))
        return scores

    def _asked(self, users: Ids) -> Interaction:
        """Return what RecBole is asked of users (B,): who they are, and their last items if these count."""
        asked = {self.dataset.uid_field: numbered(users)}
        if isinstance(self.dataset, Sequences):
            starts = self.dataset.rows.starts
            lengths = np.minimum(starts[users + 1] - starts[users], self.dataset.max_item_list_len)
            asked[self.dataset.list_field] = self.dataset.sequences(starts[users + 1] - lengths, lengths)
            asked[self.dataset.item_list_length_field] = torch.from_numpy(lengths)
        return Interaction(asked)

    def score_history(self, items: Ids) -> Scores:
        """Return the scores (I,) of every item as the next one after these, the earliest first."""
        assert isinstance(self.dataset, Sequences)
        last = items[-self.dataset.max_item_list_len :]
        sequence = torch.zeros((1, self.dataset.max_item_list_len), dtype=torch.int64)
        sequence[0, : len(last)] = numbered(last)
        asked = {
            self.dataset.uid_field: torch.zeros(1, dtype=torch.int64),
            self.dataset.list_field: sequence,
            self.dataset.item_list_length_field: torch.tensor([len(last)]),
        }
        return self._answer(Interaction(asked))[0]

    def _answer(self, asked: Interaction) -> Scores:
        """Return the scores (B, I) of what is asked, by RecBole's own way to rank all items."""
        n_users, n_items = len(asked), self.dataset.rows.n_items
        device = self.config["device"]
        with torch.no_grad():
            if type(self.model).full_sort_predict is AbstractRecommender.full_sort_predict:
                pairs = asked.to(device).repeat_interleave(n_items + 1)
                items = torch.arange(n_items + 1, device=device).repeat(n_users)
                pairs.update(Interaction({self.dataset.iid_field: items}))
                scores = self.model.predict(pairs)
            else:
                if self.config["transform"] == "inverse_itemseq":  # as RecBole does when it evaluates
                    asked = self._transform(self.dataset, asked)
                scores = self.model.full_sort_predict(asked.to(device))
        found: Scores = scores.view(n_users, n_items + 1)[:, 1:].float().cpu().numpy()
        return found

    def vectors(self) -> tuple[Floats32, Floats32]:
        """Return the vectors (U, D) and (I, D) whose dot products are the scores."""
        with torch.no_grad():
            both = VECTORS.get(self.config["model"], propagated)(self.model)
        users, items = (table[1:].detach().float().cpu().numpy().copy() for table in both)
        return users, items

    def item_weights(self) -> Any:
        """Return the weights (I, I) from a history's item to another, dense or sparse, float32."""
        weights = getattr(self.model, "item_similarity", None)
        weights = self.model.w if weights is None else weights
        inner = weights.tocsr()[1:, 1:] if hasattr(weights, "tocsr") else np.asarray(weights)[1:, 1:]
        return inner.astype(np.float32)


def propagated(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the vectors that a model of the interaction graph keeps once it has scored a user."""
    one = Interaction({model.USER_ID: torch.zeros(1, dtype=torch.int64, device=model.device)})
    model.full_sort_predict(one)
    return model.restore_user_e, model.restore_item_e


def tables(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both tables of a plain factorisation."""
    return model.user_embedding.weight, model.item_embedding.weight


VECTORS = {
    "BPR": tables,
    "LINE": tables,
    "ENMF": lambda model: (model.user_embedding.weight * model.H_i.weight, model.item_embedding.weight),
    "CKE": lambda model: (
        model.user_embedding.weight,
        model.item_embedding.weight + model.entity_embedding.weight[: model.n_items],
    ),
    "NCEPLRec": lambda model: (model.user_embeddings, model.item_embeddings.T),
    "Pop": lambda model: (torch.ones(model.n_users, 1), model.item_cnt / model.max_cnt),
}
"""Where a model has its vectors; all others that have any are :func:`propagated`."""
