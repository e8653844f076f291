#include "cryoscape/landscape/collective_variable.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>

#include "cryoscape/landscape/test_hinge.hpp"
#include "cryoscape/structure/smooth_path.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

namespace fs = std::filesystem;

/// Everything that variables of the hinge need.
struct Scene {
  structure::BeadModel beads = hinge_beads();
  StructureSpace space;
  fs::path folder = fs::path(testing::TempDir()) / "cryoscape_collective_variable";

  Scene() {
    std::vector<float> structures;
    for (int i = 0; i <= 40; ++i) {
      const auto x = hinge_structure(0.02 * i);
      structures.insert(structures.end(), x.begin(), x.end());
    }
    space = fit_structure_space(structures, beads.coordinates);
    fs::create_directories(folder);
  }
  Molecule molecule() const { return {beads, space}; }
  CollectiveVariable variable(const std::string& text) const {
    return parse_collective_variable(text, molecule());
  }
  /// Writes structures as models of a file and returns its name.
  std::string write(const std::string& name, std::vector<std::vector<float>> models) const {
    io::write_models(folder / name, {&beads.records, std::move(models), {}});
    return (folder / name).string();
  }
};

std::vector<float> tumbled(std::span<const float> x, std::uint64_t seed) {
  Philox random(seed);
  return geometry::transformed({geometry::random_rotation(random), {3, -7, 11}}, x);
}

/// A structure of the hinge in which four beads stand where they are put.
std::vector<float> with_beads(const std::vector<std::array<float, 3>>& places) {
  auto x = hinge_reference();
  for (std::size_t n = 0; n < places.size(); ++n)
    std::copy(places[n].begin(), places[n].end(), x.begin() + static_cast<std::ptrdiff_t>(3 * n));
  return x;
}

TEST(CollectiveVariable, DistancesAnglesAndDihedralsOfCentroids) {
  const Scene scene;
  // Residues 1 and 2 have their centroid at (1, 0, 0); then (0, 0, 0), (0, 0, 2), (0, 3, 2).
  const auto x = with_beads({{1, 1, 0}, {1, -1, 0}, {0, 0, 0}, {0, 0, 2}, {0, 3, 2}});
  const struct {
    const char* text;
    double value;
    const char* unit;
  } cases[] = {{"distance:A:1-2,A:4", std::sqrt(5.0), "A"},
               {"angle:A:1+A:2,A:3,A:4", 90, "degrees"},
               // Seen from the second to the third point, x turns to y clockwise.
               {"dihedral:A:1-2,A:3,A:4,A:5", 90, "degrees"}};
  for (const auto& c : cases) {
    const auto variable = scene.variable(c.text);
    EXPECT_EQ(variable.unit, c.unit);
    EXPECT_FALSE(variable.unit_interval);
    EXPECT_NEAR(std::remainder(variable.value(x) - c.value, 360), 0, 1e-4) << c.text;
    EXPECT_NEAR(variable.value(tumbled(x, 4)), variable.value(x), 1e-3) << c.text;
  }
}

TEST(CollectiveVariable, DihedralsStayOnTheReferencesBranch) {
  const Scene scene;
  const auto variable = scene.variable("dihedral:A:1,A:2,A:3,A:4");
  const double middle = variable.value(scene.beads.coordinates);
  auto x = scene.beads.coordinates;
  const geometry::Vec3 a{x[3], x[4], x[5]}, b{x[6], x[7], x[8]};
  geometry::Vec3 axis{b[0] - a[0], b[1] - a[1], b[2] - a[2]};
  const double length = std::hypot(axis[0], axis[1], axis[2]);
  for (const double turn : {-3.0, -1.0, 2.0, 3.1}) {
    for (auto& w : axis) w *= turn / length;
    const auto r = geometry::rotation_from_axis_angle(axis);
    for (auto& w : axis) w *= length / turn;
    auto turned = x;
    const auto moved = geometry::rotated(r, {x[9] - a[0], x[10] - a[1], x[11] - a[2]});
    for (std::size_t k = 0; k < 3; ++k) turned[9 + k] = static_cast<float>(moved[k] + a[k]);
    EXPECT_NEAR(variable.value(turned), middle + turn * 180 / std::numbers::pi, 1e-3);
  }
}

TEST(CollectiveVariable, ComponentsAreThoseOfTheStructureSpace) {
  const Scene scene;
  const auto x = tumbled(hinge_structure(0.3), 6);
  const auto c = project(scene.space, x);
  for (std::size_t k = 0; k < scene.space.size(); ++k)
    EXPECT_EQ(scene.variable("pc" + std::to_string(k + 1)).value(x), static_cast<double>(c[k]));
}

TEST(CollectiveVariable, RmsdIsAfterSuperpositionOverSharedResidues) {
  const Scene scene;
  const auto model = hinge_structure(0.5);
  const auto variable = scene.variable("rmsd:" + scene.write("one.pdb", {model}));
  EXPECT_NEAR(variable.value(tumbled(model, 7)), 0, 2e-3);  // the file has three decimals
  EXPECT_NEAR(variable.value(scene.beads.coordinates),
              geometry::superposed_rmsd(scene.beads.coordinates, model), 2e-3);

  // A file of chain B alone says nothing about chain A.
  io::AtomicModel part;
  for (const auto& atom : scene.beads.records.atoms)
    if (atom.chain == "B") part.atoms.push_back(atom);
  io::write_models(scene.folder / "part.cif", {&part, {io::positions_of(part)}, {}});
  const auto of_part = scene.variable("rmsd:" + (scene.folder / "part.cif").string());
  EXPECT_NEAR(of_part.value(hinge_structure(0.7)), 0, 2e-3);
}

TEST(CollectiveVariable, PathIsThePositionOnTheModelsSmoothPath) {
  const Scene scene;
  std::vector<std::vector<float>> models;
  for (int m = 0; m < 20; ++m) models.push_back(hinge_structure(0.8 * m / 19));
  const auto variable = scene.variable("path:" + scene.write("path.pdb", models));
  EXPECT_TRUE(variable.unit_interval);
  // A hinge that turns at a constant rate moves the same way for each degree, so s is the share of the angle:
  // but for files' three decimals, nearest()'s search to 1e-4 and the polynomials' fit of an arc.
  for (const double s : {0.0, 0.25, 0.6, 1.0})
    EXPECT_NEAR(variable.value(tumbled(hinge_structure(0.8 * s), 99)), s, 3e-3);
}

TEST(CollectiveVariable, ValuesOfManyStructuresAreInOrder) {
  const Scene scene;
  const auto a = hinge_structure(0.1), b = hinge_structure(0.7);
  auto both = a;
  both.insert(both.end(), b.begin(), b.end());
  const auto variable = scene.variable("distance:A:,B:");
  EXPECT_EQ(evaluate(variable, both, a.size()), (std::vector{variable.value(a), variable.value(b)}));
}

TEST(CollectiveVariable, SaysWhatIsWrong) {
  const Scene scene;
  const auto message = [&](const std::string& text) {
    return error_of([&] { parse_collective_variables(text, scene.molecule()); });
  };
  const auto says = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(message(text).find(part), std::string::npos) << text << ": " << message(text);
  };
  says("radius:A:1", "no collective variable");
  says("", "no collective variable");
  says("pc99", "principal component");
  says("pc0", "principal component");
  says("distance:", "nothing follows");
  says("distance:A:1", "has 1 selection,");
  says("angle:A:1,A:2,A:3,A:4", "has 4 selections");
  says("distance:A:1,C:1", "'C:1'");
  says("rmsd:missing.pdb", "missing.pdb");
  says("path:" + scene.write("single.pdb", {hinge_reference()}), "two or more");
  says("path:" + scene.write("same.pdb", {hinge_reference(), hinge_reference()}), "no path");
  says("pc1;pc1;pc1", "one or two");
  auto other = scene.beads.records;
  for (auto& atom : other.atoms) atom.chain = "Q";
  io::write_models(scene.folder / "other.cif", {&other, {hinge_reference()}, {}});
  says("rmsd:" + (scene.folder / "other.cif").string(), "shares 0 residues");
  EXPECT_EQ(parse_collective_variables("pc1;distance:A:,B:", scene.molecule()).size(), 2u);
}

}  // namespace
}  // namespace cryoscape::landscape
