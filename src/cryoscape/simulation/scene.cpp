#include "cryoscape/simulation/scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/structure/docking.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::simulation {
namespace {

using structure::BeadLevel;
using structure::BeadModel;

geometry::Vec3 centroid(std::span<const float> x) {
  geometry::Vec3 c{};
  for (std::size_t i = 0; i < x.size(); ++i) c[i % 3] += x[i] / (static_cast<double>(x.size()) / 3);
  return c;
}

BeadLevel choose_level(const io::AtomicModel& first, const std::string& beads) {
  if (beads != "auto") return structure::parse_bead_level(beads);
  // More than two heavy atoms per residue bead: the file has more than CA or backbone traces.
  const std::size_t coarse = structure::make_beads(first, BeadLevel::residue).size();
  const std::size_t fine = structure::make_beads(first, BeadLevel::all_atom).size();
  return fine > 2 * coarse ? BeadLevel::all_atom : BeadLevel::residue;
}

/// Throws unless bead i is the same atom in both models.
void check_same_beads(const BeadModel& first, const BeadModel& other, const std::string& first_name,
                      const std::string& name) {
  if (first.size() != other.size())
    fail("{} has {} beads, but {} has {}: all models need the same atoms", name, other.size(), first_name,
         first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto &a = first.records.atoms[i], &b = other.records.atoms[i];
    if (a.name != b.name || a.residue_number != b.residue_number || a.chain != b.chain)
      fail("{} has atom {} {} {} where {} has {} {} {}: all models need the same atoms in the same order",
           name, b.chain, b.residue_number, b.name, first_name, a.chain, a.residue_number, a.name);
  }
}

void check_fits(const std::vector<std::vector<float>>& positions, const std::vector<std::string>& names,
                double box_length) {
  for (std::size_t m = 0; m < positions.size(); ++m) {
    double reach = 0;
    const auto& x = positions[m];
    for (std::size_t i = 0; i < x.size(); i += 3)
      reach = std::max(
          reach, std::sqrt(double{x[i]} * x[i] + double{x[i + 1]} * x[i + 1] + double{x[i + 2]} * x[i + 2]));
    if (!std::isfinite(reach)) fail("{} has a coordinate that is no number", names[m]);
    if (reach > box_length / 2)
      fail(
          "{} reaches {:.0f} A from its centre, out of the box of {:.0f} A: raise --box or --pixel-size to "
          "at least {:.0f} A in all",
          names[m], reach, box_length, 2 * reach);
  }
}

void move(std::vector<float>& x, const geometry::Vec3& by) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(x[i] - by[i % 3]);
}

}  // namespace

std::vector<io::AtomicModel> read_all_models(const std::vector<std::filesystem::path>& files,
                                             std::vector<std::string>& names) {
  if (files.empty()) fail("no models to simulate: give at least one PDB or mmCIF file");
  std::vector<io::AtomicModel> models;
  names.clear();
  for (const auto& file : files) {
    auto read = io::read_models(file);
    for (std::size_t m = 0; m < read.size(); ++m) {
      names.push_back(read.size() == 1 ? file.string() : fmt::format("{}, model {}", file.string(), m + 1));
      models.push_back(std::move(read[m]));
    }
  }
  return models;
}

ImageCentre image_centre(std::span<const float> residues, double box_length) {
  const auto middle = centroid(residues);
  const double reach = std::max({std::abs(middle[0]), std::abs(middle[1]), std::abs(middle[2])});
  const double half = box_length / 2;
  const double from_corner =
      std::max({std::abs(middle[0] - half), std::abs(middle[1] - half), std::abs(middle[2] - half)});
  if (std::min(reach, from_corner) > half / 2) return {middle, false};
  return {structure::find_model_centre(residues, box_length, std::nullopt, std::nullopt).centre, true};
}

Scene::Scene(const std::vector<io::AtomicModel>& models, const std::vector<std::string>& names,
             const SceneOptions& options) {
  if (models.empty()) fail("no models to simulate");
  level_ = choose_level(models.front(), options.beads);
  build(models, names, options);

  const auto [centre, by_rule] = image_centre(residues_.front(), options.box_length);
  if (!by_rule)
    notes_.push_back(
        fmt::format("the models were moved by ({:.2f}, {:.2f}, {:.2f}) A to the box's centre: move a model "
                    "for training likewise",
                    -centre[0], -centre[1], -centre[2]));
  for (auto& x : positions_) move(x, centre);
  for (auto& x : residues_) move(x, centre);
  check_fits(positions_, names, options.box_length);

  bead_path_ = structure::SmoothPath(positions_);
  residue_path_ = structure::SmoothPath(residues_);
}

void Scene::build(const std::vector<io::AtomicModel>& models, const std::vector<std::string>& names,
                  const SceneOptions& options) {
  BeadModel first, first_residues;
  double farthest = 0, farthest_superposed = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    auto residues = structure::make_beads(models[m], BeadLevel::residue);
    auto beads = level_ == BeadLevel::residue ? residues : structure::make_beads(models[m], level_);
    if (m == 0) {
      first = beads, first_residues = residues;
      amplitudes_ = beads.amplitudes;
    }
    check_same_beads(first, beads, names[0], names[m]);
    check_same_beads(first_residues, residues, names[0], names[m]);
    if (options.superpose && m > 0) {
      const auto motion = geometry::superpose(residues.coordinates, first_residues.coordinates);
      beads.coordinates = geometry::transformed(motion, beads.coordinates);
      residues.coordinates = geometry::transformed(motion, residues.coordinates);
    }
    farthest = std::max(farthest, geometry::rmsd(residues.coordinates, first_residues.coordinates));
    farthest_superposed = std::max(
        farthest_superposed, geometry::superposed_rmsd(residues.coordinates, first_residues.coordinates));
    positions_.push_back(std::move(beads.coordinates));
    residues_.push_back(std::move(residues.coordinates));
  }
  // A frame fixed on one domain costs less than twice the superposed distance.
  if (farthest > 2 * farthest_superposed + 1)
    notes_.push_back(
        fmt::format("the models lie up to {:.1f} A apart, but only {:.1f} A after superposition: they seem "
                    "to stand in different "
                    "frames; --superpose moves them onto the first",
                    farthest, farthest_superposed));
}

double Scene::radius_of_gyration() const {
  const auto& x = positions_.front();
  const auto c = centroid(x);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - c[i % 3]) * (x[i] - c[i % 3]);
  return std::sqrt(3 * sum / static_cast<double>(x.size()));
}

std::vector<float> Scene::coordinates(double model) const {
  const double last = static_cast<double>(positions_.size()) - 1, x = std::clamp(model - 1, 0.0, last);
  const auto below = static_cast<std::size_t>(x);
  auto out = positions_[below];
  const auto share = static_cast<float>(x - static_cast<double>(below));
  if (share > 0)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += share * (positions_[below + 1][i] - out[i]);
  return out;
}

std::vector<float> Scene::tangent(double model) const {
  auto out = bead_path_.slope_at_model(model);
  const double speed = residue_path_.slope_of_position(model);
  if (speed > 0)
    for (auto& v : out) v = static_cast<float>(v / speed);
  else
    std::fill(out.begin(), out.end(), 0.0f);
  return out;
}

}  // namespace cryoscape::simulation
