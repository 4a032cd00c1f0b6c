"""Functional groups: known molecules, the atoms of a group, and what is no SMILES."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("rdkit", reason="rdkit is not installed")

from deep_chemometrics.infrared import GROUP_FREQUENCIES, GROUP_SMARTS, functional_groups
from deep_chemometrics.infrared.groups import GROUP_ATOMS, group_atoms

MOLECULES = {
    "C": ["alkane"],
    "CC": ["methyl"],
    "C1CC1": ["alkane"],
    "C=C": ["alkene"],
    "C#C": ["alkyne"],
    "CO": ["methyl", "alcohol"],
    "O": [],
    "CN": ["methyl", "amine"],
    "CN(C)C": ["methyl"],
    "CC#N": ["methyl", "nitrile"],
    "c1ccccc1": ["aromatic"],
    "c1ccoc1": ["aromatic"],
    "Oc1ccccc1": ["alcohol", "aromatic"],
    "CCl": ["methyl", "alkyl halide"],
    "COC=O": ["methyl", "ether"],  # the pattern of an ester wants a carbon on the acid's side
    "COC(C)=O": ["methyl", "ester", "ether"],
    "CC(C)=O": ["methyl", "ketone"],
    "C=O": [],
    "CC=O": ["methyl", "aldehyde"],
    "OC=O": ["alcohol", "carboxylic acid"],
    "COC": ["methyl", "ether"],
    "CC(=O)F": ["methyl", "alkyl halide", "acyl halide"],
    "CC(=O)N": ["methyl", "amide"],
    "NC=O": [],
    "C[N+](=O)[O-]": ["methyl", "nitro"],
    "CN(=O)=O": ["methyl", "nitro"],
    "CON(=O)=O": ["methyl"],  # a nitrate, not a nitro compound
}


@pytest.mark.parametrize("smiles", MOLECULES)
def test_groups_of_known_molecules(smiles):
    has = functional_groups([smiles]).iloc[0]
    assert list(has.index[has]) == sorted(MOLECULES[smiles], key=list(GROUP_SMARTS).index)


def test_the_tables_agree_in_their_groups():
    assert list(GROUP_SMARTS) == list(GROUP_FREQUENCIES) and set(GROUP_SMARTS) == set(GROUP_ATOMS)
    assert all(400 < low < high < 3700 for ranges in GROUP_FREQUENCIES.values() for high, low in ranges)


@pytest.mark.parametrize("smiles", [name for name, groups in MOLECULES.items() if groups])
def test_a_group_has_atoms_where_it_is_present(smiles):
    present = group_atoms(smiles).any(axis=0)
    assert (present == functional_groups(smiles).to_numpy()[0]).all()


@pytest.mark.parametrize(
    ("smiles", "group", "atoms"),
    [
        ("CO", "alcohol", [1, 5]),  # the oxygen and its hydrogen, not the carbon
        ("CN", "amine", [1, 5, 6]),
        ("CC=O", "aldehyde", [1, 2, 6]),
        ("CC(=O)O", "carboxylic acid", [1, 2, 3, 7]),
        ("CC(=O)N", "amide", [1, 2, 3, 7, 8]),
        ("C[N+](=O)[O-]", "nitro", [1, 2, 3]),
        ("COC", "ether", [1]),
        ("CCl", "alkyl halide", [1]),
        ("CC(=O)Cl", "acyl halide", [1, 2, 3]),
        ("CC(C)=O", "ketone", [1, 3]),
    ],
)
def test_a_group_s_own_atoms(smiles, group, atoms):
    column = group_atoms(smiles)[:, list(GROUP_SMARTS).index(group)]
    assert np.flatnonzero(column).tolist() == atoms


@pytest.mark.parametrize("wrong", ["", "C1CC", "xyz", "C(", None, 3, "c1cccc1", np.nan])
def test_what_is_no_smiles(wrong):
    with pytest.raises(ValueError, match="is no molecule that rdkit can read"):
        functional_groups(["CCO", wrong])


def test_groups_of_nothing_and_of_one():
    assert functional_groups([]).shape == (0, 17) and functional_groups("CCO").shape == (1, 17)
    twice = functional_groups(pd.Series(["CO", "CO"]))
    assert twice.shape == (2, 17) and twice.to_numpy().dtype == bool
