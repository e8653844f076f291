#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/landscape/structure_space.hpp"
#include "cryoscape/structure/beads.hpp"
#include "cryoscape/structure/smooth_path.hpp"

namespace cryoscape::landscape {

/// A number that a conformation has, whatever its place and orientation.
struct CollectiveVariable {
  std::string text;            ///< as it was asked for
  std::string unit;            ///< "A", "degrees", or empty
  bool unit_interval = false;  ///< runs from 0 to 1 by definition, as positions along a path do
  /// Of one structure (3N) Å.
  std::function<double(std::span<const float>)> value;
  /// Of `path:` with models that have every bead of the molecule: the path itself, in the file's frame.
  std::shared_ptr<const structure::SmoothPath> path = nullptr;
};

/// What a variable's words are resolved against; must outlive the variable.
struct Molecule {
  const structure::BeadModel& beads;  ///< the reference
  const StructureSpace& space;
};

/// Parses one of
///   pc1, pc2 …                principal component of the structures, Å
///   distance:S1,S2            between centroids of residue selections (structure::select_residues), Å
///   angle:S1,S2,S3            at the second centroid, degrees
///   dihedral:S1,S2,S3,S4      about the line from the second to the third, degrees (IUPAC: clockwise is
///                             positive), on the branch within 180 degrees of the reference's
///   rmsd:FILE                 to the file's first model, after superposition over the residues they share, Å
///   path:FILE                 position s ∈ [0, 1] of the nearest point of the smooth path through the file's
///                             models as they stand (structure::SmoothPath), after superposition
///                             of the structure over shared residues
/// Throws Error for anything else, selections without residues, components that the space does not have, and
/// files whose models do not share at least three residues with the molecule.
CollectiveVariable parse_collective_variable(const std::string& text, const Molecule& molecule);

/// One or two variables, `distance:A:1-30,B:5;pc1` with a semicolon between two. Throws Error.
std::vector<CollectiveVariable> parse_collective_variables(const std::string& text, const Molecule& molecule);

/// Values (M) of structures (M, 3N), in parallel.
std::vector<double> evaluate(const CollectiveVariable& variable, std::span<const float> structures,
                             std::size_t length);

}  // namespace cryoscape::landscape
