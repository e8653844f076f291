#pragma once
#include "cryoscape/io/atomic_model.hpp"

namespace cryoscape::training {

/// A compact chain of `residues` CA atoms, centred, at 135 Å³ per residue: parallel rods of residues 3.8 Å
/// apart that fill a ball, joined at their ends by one residue each. All neighbours in the chain are 3.8 Å
/// apart, all others more than 4 Å.
io::AtomicModel make_globule(int residues);

}  // namespace cryoscape::training
