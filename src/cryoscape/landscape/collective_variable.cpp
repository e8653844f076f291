#include "cryoscape/landscape/collective_variable.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <regex>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/shared_residues.hpp"
#include "cryoscape/structure/residue_selection.hpp"
#include "cryoscape/structure/smooth_path.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

using Beads = std::vector<std::uint32_t>;
using Structure = std::span<const float>;
constexpr double kDegrees = 180 / std::numbers::pi;
constexpr const char* kKinds =
    "pcK, distance:S1,S2, angle:S1,S2,S3, dihedral:S1,S2,S3,S4, rmsd:MODEL or path:MODELS";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Eigen::Vector3d centroid(Structure x, const Beads& beads) {
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (const auto b : beads) sum += Eigen::Vector3d(x[3 * b], x[3 * b + 1], x[3 * b + 2]);
  return sum / static_cast<double>(beads.size());
}

/// Centroids of selections, `count` of them as the kind of variable needs.
std::vector<Beads> selections(const std::string& kind, const std::string& rest, std::size_t count,
                              const Molecule& molecule) {
  const auto parts = split(rest, ',');
  if (parts.size() != count)
    fail("'{}:{}' has {} selection{}, but {} takes {} with commas between them", kind, rest, parts.size(),
         parts.size() == 1 ? "" : "s", kind, count);
  std::vector<Beads> out;
  for (const auto& part : parts) out.push_back(structure::select_residues(molecule.beads, part));
  return out;
}

double dihedral(Structure x, const std::vector<Beads>& s) {
  const Eigen::Vector3d a = centroid(x, s[0]), b = centroid(x, s[1]), c = centroid(x, s[2]),
                        d = centroid(x, s[3]);
  const Eigen::Vector3d axis = (c - b).normalized(), n1 = (b - a).cross(c - b), n2 = (c - b).cross(d - c);
  return kDegrees * std::atan2(axis.dot(n1.cross(n2)), n1.dot(n2));
}

CollectiveVariable distance_variable(const std::string& rest, const Molecule& molecule) {
  auto s = selections("distance", rest, 2, molecule);
  return {{}, "A", false, [s](Structure x) { return (centroid(x, s[0]) - centroid(x, s[1])).norm(); }};
}

CollectiveVariable angle_variable(const std::string& rest, const Molecule& molecule) {
  auto s = selections("angle", rest, 3, molecule);
  return {{}, "degrees", false, [s](Structure x) {
            const Eigen::Vector3d middle = centroid(x, s[1]), a = centroid(x, s[0]) - middle,
                                  b = centroid(x, s[2]) - middle;
            return kDegrees * std::atan2(a.cross(b).norm(), a.dot(b));
          }};
}

CollectiveVariable dihedral_variable(const std::string& rest, const Molecule& molecule) {
  auto s = selections("dihedral", rest, 4, molecule);
  // The reference lies in the middle of the branch, far from where the angle jumps.
  const double middle = dihedral(molecule.beads.coordinates, s);
  return {{}, "degrees", false, [s, middle](Structure x) {
            return middle + std::remainder(dihedral(x, s) - middle, 360.0);
          }};
}

CollectiveVariable component_variable(const std::string& text, const std::string& number,
                                      const Molecule& molecule) {
  const auto& space = molecule.space;
  const auto k = number.size() > 3 ? std::size_t{0} : static_cast<std::size_t>(std::stoul(number));
  if (k < 1 || k > space.size())
    fail("'{}': the structures have {} principal component{}", text, space.size(),
         space.size() == 1 ? "" : "s");
  return {{}, "A", false, [&space, k](Structure x) { return static_cast<double>(project(space, x)[k - 1]); }};
}

CollectiveVariable rmsd_variable(const std::string& file, const Molecule& molecule) {
  auto shared = read_shared_models(file, molecule.beads);
  return {{}, "A", false, [beads = shared.beads, model = shared.models.front()](Structure x) {
            return geometry::superposed_rmsd(picked(x, beads), model);
          }};
}

CollectiveVariable path_variable(const std::string& file, const Molecule& molecule) {
  auto shared = read_shared_models(file, molecule.beads);
  if (shared.models.size() < 2) fail("{} has one model, but a path needs two or more", file);
  const auto path = std::make_shared<const structure::SmoothPath>(shared.models);
  if (path->length() <= 0) fail("the models of {} are all the same, so there is no path", file);
  const bool whole = shared.beads.size() == molecule.beads.size();
  return {{},
          "",
          true,
          [beads = shared.beads, path](Structure x) { return path->nearest(picked(x, beads)).s; },
          whole ? path : nullptr};
}

CollectiveVariable parse_kind(const std::string& text, const Molecule& molecule) {
  static const std::regex component(R"(pc(\d+))");
  std::smatch match;
  if (std::regex_match(text, match, component)) return component_variable(text, match[1], molecule);
  const auto colon = std::min(text.find(':'), text.size());
  const auto kind = text.substr(0, colon), rest = text.substr(std::min(colon + 1, text.size()));
  if (rest.empty() && colon < text.size()) fail("'{}': nothing follows '{}:'", text, kind);
  if (kind == "distance") return distance_variable(rest, molecule);
  if (kind == "angle") return angle_variable(rest, molecule);
  if (kind == "dihedral") return dihedral_variable(rest, molecule);
  if (kind == "rmsd") return rmsd_variable(rest, molecule);
  if (kind == "path") return path_variable(rest, molecule);
  fail("'{}' is no collective variable: give {}", text, kKinds);
}

}  // namespace

CollectiveVariable parse_collective_variable(const std::string& text, const Molecule& molecule) {
  auto variable = parse_kind(text, molecule);
  variable.text = text;
  return variable;
}

std::vector<CollectiveVariable> parse_collective_variables(const std::string& text,
                                                           const Molecule& molecule) {
  const auto parts = split(text, ';');
  if (parts.size() > 2)
    fail("'{}' has {} collective variables, but a landscape has one or two", text, parts.size());
  std::vector<CollectiveVariable> out;
  for (const auto& part : parts) out.push_back(parse_collective_variable(part, molecule));
  return out;
}

std::vector<double> evaluate(const CollectiveVariable& variable, std::span<const float> structures,
                             std::size_t length) {
  std::vector<double> values(structures.size() / length);
  parallel_for(values.size(),
               [&](std::size_t m) { values[m] = variable.value(structures.subspan(m * length, length)); });
  return values;
}

}  // namespace cryoscape::landscape
