#include "cryoscape/simulation/simulator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <numbers>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/simulation/imaging.hpp"
#include "cryoscape/simulation/particle_draw.hpp"
#include "cryoscape/simulation/scene.hpp"
#include "cryoscape/simulation/truth.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;
namespace fs = std::filesystem;

namespace {

/// A folder of its own for every test, removed at its end.
class Simulate : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("simulate_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// The demo protein's path as a PDB file.
  fs::path models() {
    const auto path = folder_ / "path.pdb";
    if (!fs::exists(path)) {
      const auto protein = make_demo_protein();
      io::ModelSeries series;
      series.atoms = &protein.path.front();
      for (const auto& m : protein.path) series.positions.push_back(io::positions_of(m));
      io::write_models(path, series);
    }
    return path;
  }

  static SimulationOptions small(int particles) {
    SimulationOptions o;
    o.particles = particles, o.box = 48, o.pixel_size = 2;
    return o;
  }

  std::vector<float> images(const fs::path& stack) {
    io::StackReader reader;
    const auto header = reader.header(stack);
    const std::size_t pixels = static_cast<std::size_t>(header.nx) * header.ny;
    std::vector<float> out(pixels * header.nz);
    for (int i = 0; i < header.nz; ++i) reader.read(stack, i, std::span(out).subspan(i * pixels, pixels));
    return out;
  }

  std::string message(const std::vector<fs::path>& models, const SimulationOptions& options,
                      bool force = false) {
    try {
      simulate(models, folder_ / "out", options, force);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
};

std::string bytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// The numbers of a column of data_particles.
std::vector<double> column(const fs::path& star, const std::string& label) {
  for (const auto& t : io::read_star_tables(star))
    if (t.table.name == "particles" && t.table.column(label) >= 0) {
      std::vector<double> out;
      for (const auto& row : t.rows) out.push_back(std::stod(row[t.table.column(label)]));
      return out;
    }
  ADD_FAILURE() << star << " has no column " << label;
  return {};
}

}  // namespace

TEST_F(Simulate, VarianceOfSignalOverNoiseIsTheSnr) {
  for (const char* noise : {"white", "coloured"}) {
    auto o = small(300);
    o.noise = noise, o.snr = 0.2;
    simulate({models()}, folder_ / "loud", o, true);
    o.snr = 1e-6;
    simulate({models()}, folder_ / "silent", o, true);
    const auto loud = images(folder_ / "loud/particles.mrcs"),
               silent = images(folder_ / "silent/particles.mrcs");
    // Both have the same noise, so that their difference is signal · (1 − sqrt(1e-6 / 0.2)).
    const std::size_t pixels = 48 * 48;
    double signal = 0, square = 0;
    for (std::size_t i = 0; i < 300; ++i) {
      std::vector<float> difference(pixels);
      for (std::size_t k = 0; k < pixels; ++k) difference[k] = loud[i * pixels + k] - silent[i * pixels + k];
      signal += variance(difference) / 300 / std::pow(1 - std::sqrt(1e-6 / 0.2), 2);
    }
    for (const float v : silent) square += double{v} * v / static_cast<double>(silent.size());
    EXPECT_NEAR(signal, 0.2, 1e-4) << noise;
    EXPECT_NEAR(square, 1, 0.03) << noise;
  }
}

TEST_F(Simulate, TruthBoundsOfAdenylateKinaseLieJustAboveTheTable) {
  // Unequal residues (5 %) and the signal that the CTF carries out of the box (4 %) cost a little.
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "shared data not found: set CRYOSCAPE_TEST_DATA";
  SimulationOptions o;
  o.particles = 1500, o.snr = 0.05;
  simulate({*data / "adk/adk_path_smooth_ca.pdb"}, folder_ / "out", o, false);
  EXPECT_NEAR(quantile(read_truth(folder_ / "out/truth.star").bound, 0.5), 1.09 * 0.0385, 0.03 * 0.0385);
}

TEST_F(Simulate, BoundsGoWithTheRootOfTheSnr) {
  auto o = small(20);
  std::vector<std::vector<double>> bounds;
  for (const double snr : {0.01, 0.04}) {
    o.snr = snr;
    simulate({models()}, folder_ / "out", o, true);
    bounds.push_back(read_truth(folder_ / "out/truth.star").bound);
  }
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(bounds[0][i] / bounds[1][i], 2, 1e-3);
}

TEST_F(Simulate, SameBytesForAnyNumberOfThreads) {
  auto o = small(60);
  o.junk = 0.3, o.noise = "coloured", o.shift = 2, o.views = "uneven", o.populations = "6:0.6,56:0.3,31:0.1",
  o.spread = 2;
  const int threads = thread_count();
  set_thread_count(1);
  simulate({models()}, folder_ / "one", o, false);
  set_thread_count(3);
  simulate({models()}, folder_ / "three", o, false);
  set_thread_count(threads);
  for (const char* file : {"particles.mrcs", "particles.star", "truth.star"}) {
    const auto one = bytes(folder_ / "one" / file);
    EXPECT_GT(one.size(), 1000u);
    EXPECT_TRUE(one == bytes(folder_ / "three" / file)) << file;
  }
}

TEST_F(Simulate, AnotherSeedGivesOtherParticles) {
  auto o = small(5);
  simulate({models()}, folder_ / "a", o, false);
  o.seed = 2;
  simulate({models()}, folder_ / "b", o, false);
  EXPECT_FALSE(bytes(folder_ / "a/particles.mrcs") == bytes(folder_ / "b/particles.mrcs"));
}

TEST_F(Simulate, MetadataAndTruthDescribeTheImages) {
  auto o = small(40);
  o.snr = 1e6, o.shift = 3, o.b_factor = 40, o.populations = "6:0.5,50:0.5", o.spread = 3,
  o.defocus = {0.8, 2.5};
  const auto out = folder_ / "out";
  simulate({models()}, out, o, false);
  const auto truth = read_truth(out / "truth.star");
  std::vector<std::string> names;
  const auto atoms = read_all_models({models()}, names);
  const Scene scene(atoms, names, {"auto", 96, false});
  projection::ProjectionSpec spec;
  spec.box = 48, spec.pixel_size = 2, spec.sigma = 2;
  const Imager imager(spec, {});
  Imager::Scratch scratch;
  const auto star = out / "particles.star";
  constexpr double kRadians = std::numbers::pi / 180;
  const auto rot = column(star, "rlnAngleRot"), tilt = column(star, "rlnAngleTilt"),
             psi = column(star, "rlnAnglePsi"), x = column(star, "rlnOriginXAngst"),
             y = column(star, "rlnOriginYAngst"), u = column(star, "rlnDefocusU"),
             v = column(star, "rlnDefocusV"), angle = column(star, "rlnDefocusAngle"),
             b = column(star, "rlnCtfBfactor");
  const auto stack = images(out / "particles.mrcs");
  double scale = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    std::vector<float> image(48 * 48);
    optics::CtfParameters ctf;
    ctf.defocus_u = static_cast<float>(u[i]), ctf.defocus_v = static_cast<float>(v[i]);
    ctf.defocus_angle = static_cast<float>(angle[i] * kRadians), ctf.b_factor = static_cast<float>(b[i]);
    imager.draw(scene.amplitudes(), scene.coordinates(truth.model[i]),
                {rot[i] * kRadians, tilt[i] * kRadians, psi[i] * kRadians, x[i], y[i]}, ctf, scratch, image);
    double cross = 0, square = 0, residual = 0;
    const float* found = stack.data() + i * image.size();
    for (std::size_t k = 0; k < image.size(); ++k)
      cross += double{image[k]} * found[k], square += double{image[k]} * image[k];
    if (i == 0) scale = cross / square;
    for (std::size_t k = 0; k < image.size(); ++k) residual += std::pow(found[k] - scale * image[k], 2);
    // One scale serves all images, and what is left is noise of unit variance.
    EXPECT_NEAR(residual / static_cast<double>(image.size()), 1, 0.25) << i;
  }
}

TEST_F(Simulate, StatesHaveTheirPopulationsAndModels) {
  auto o = small(2000);
  o.box = 32, o.pixel_size = 3;
  o.populations = "6:0.6,56:0.3,31:0.1", o.spread = 2;
  simulate({models()}, folder_ / "out", o, false);
  const auto truth = read_truth(folder_ / "out/truth.star");
  const double weight[] = {0, 0.6, 0.3, 0.1}, centre[] = {0, 6, 56, 31};
  for (int k = 1; k <= 3; ++k) {
    double count = 0, offset = 0;
    for (std::size_t i = 0; i < truth.size(); ++i)
      if (truth.state[i] == k) count += 1, offset += truth.model[i] - centre[k];
    EXPECT_NEAR(count / 2000, weight[k], 4 * std::sqrt(weight[k] * (1 - weight[k]) / 2000));
    EXPECT_LT(std::abs(offset / count),
              4 * 2 / std::sqrt(count) + 0.1);  // the first state is cut a little at model 1
  }
  EXPECT_EQ(truth.image_name[41], "000042@particles.mrcs");
}

TEST_F(Simulate, HalfOfTheJunkIsNoiseAndHalfAWrongMolecule) {
  auto o = small(600);
  o.box = 32, o.pixel_size = 3;
  o.junk = 0.4, o.snr = 100, o.populations = "6:1";
  simulate({models()}, folder_ / "out", o, false);
  const auto truth = read_truth(folder_ / "out/truth.star");
  const auto stack = images(folder_ / "out/particles.mrcs");
  double junk = 0, noise = 0;
  const std::size_t pixels = 32 * 32;
  for (std::size_t i = 0; i < 600; ++i) {
    const double v = variance(std::span(stack).subspan(i * pixels, pixels));
    if (!truth.junk[i]) {
      EXPECT_GT(v, 10);
      EXPECT_EQ(truth.state[i], 1);
      EXPECT_TRUE(std::isfinite(truth.bound[i]));
      continue;
    }
    junk += 1;
    noise += v < 1.5;
    EXPECT_EQ(truth.wrong_molecule[i], v > 1.5);
    EXPECT_EQ(truth.state[i], 0);
    EXPECT_EQ(truth.model[i], 0);
    EXPECT_TRUE(std::isnan(truth.bound[i]));
  }
  EXPECT_NEAR(junk / 600, 0.4, 4 * std::sqrt(0.24 / 600));
  EXPECT_NEAR(noise / junk, 0.5, 4 * 0.5 / std::sqrt(junk));
}

TEST_F(Simulate, ProfileGivesBasinsAsStates) {
  const auto profile = folder_ / "profile.csv";
  replace_text_file(profile, "position,energy\n0,2\n0.2,0\n0.5,3\n0.8,1\n1,2\n");
  auto o = small(1500);
  o.box = 32, o.pixel_size = 3;
  o.profile = profile.string();
  simulate({models()}, folder_ / "out", o, false);
  const auto truth = read_truth(folder_ / "out/truth.star");
  const ProfileDistribution exact(read_profile(profile), 61);
  double first = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    first += truth.state[i] == 1;
    EXPECT_EQ(truth.state[i], (truth.model[i] - 1) / 60 < 0.5 ? 1 : 2);
  }
  const double p = exact.populations()[0];
  EXPECT_NEAR(first / 1500, p, 4 * std::sqrt(p * (1 - p) / 1500));
}

TEST_F(Simulate, MapsProjectToTheImagesAndLieOnTheModels) {
  auto o = small(1);
  o.write_maps = true;
  // Two files of one model each; maps are numbered through.
  const auto protein = make_demo_protein();
  std::vector<fs::path> files;
  for (const int m : {6, 56}) {
    files.push_back(folder_ / ("model" + std::to_string(m) + ".cif"));
    io::ModelSeries series;
    series.atoms = &protein.path[m - 1];
    series.positions = {io::positions_of(protein.path[m - 1])};
    io::write_models(files.back(), series);
  }
  files.push_back(files.front());
  simulate(files, folder_ / "out", o, false);
  EXPECT_TRUE(fs::exists(folder_ / "out/truth_maps/model_003.mrc"));
  files.pop_back();
  simulate(files, folder_ / "out", o, true);
  EXPECT_FALSE(fs::exists(folder_ / "out/truth_maps/model_003.mrc"));
  const auto map = io::read_mrc_volume(folder_ / "out/truth_maps/model_002.mrc");
  ASSERT_EQ(map.nz, 48);
  EXPECT_NEAR(map.pixel_size, 2, 1e-6);
  for (const double c : map.origin) EXPECT_NEAR(c, -48, 1e-4);

  std::vector<std::string> names;
  const Scene scene(read_all_models(files, names), names, {"auto", 96, false});
  projection::ProjectionSpec spec;
  spec.box = 48, spec.pixel_size = 2, spec.sigma = 2;
  std::vector<float> image(48 * 48);
  const float rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, shift[2] = {0, 0};
  projection::project_one(spec, scene.amplitudes(), scene.coordinates(2).data(), rotation, shift,
                          image.data());
  const float peak = *std::max_element(image.begin(), image.end());
  for (std::size_t i = 0; i < image.size(); ++i) {
    float sum = 0;
    for (std::size_t z = 0; z < 48; ++z) sum += map.data[z * image.size() + i];
    ASSERT_NEAR(sum, image[i], 1e-3 * peak);
  }
}

TEST_F(Simulate, ASingleModelHasNoBound) {
  auto o = small(3);
  const auto all = io::read_models(models());
  io::ModelSeries series;
  series.atoms = &all.front();
  series.positions = {io::positions_of(all.front())};
  io::write_models(folder_ / "one.pdb", series);
  simulate({folder_ / "one.pdb"}, folder_ / "out", o, false);
  const auto truth = read_truth(folder_ / "out/truth.star");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(truth.model[i], 1);
    EXPECT_TRUE(std::isnan(truth.bound[i]));
  }
}

TEST_F(Simulate, ExistingOutputIsKeptUnlessForced) {
  auto o = small(2);
  simulate({models()}, folder_ / "out", o, false);
  const auto before = bytes(folder_ / "out/particles.mrcs");
  o.seed = 9;
  EXPECT_NE(message({models()}, o).find("--force"), std::string::npos);
  EXPECT_TRUE(before == bytes(folder_ / "out/particles.mrcs"));
  EXPECT_EQ(message({models()}, o, true), "no error");
  EXPECT_FALSE(before == bytes(folder_ / "out/particles.mrcs"));
}

TEST_F(Simulate, ErrorsNameWhatIsWrongAndWriteNothing) {
  const auto with = [&](const std::function<void(SimulationOptions&)>& change) {
    auto o = small(2);
    change(o);
    return message({models()}, o);
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(with([](auto& o) { o.box = 33; }), "--box is 33"));
  EXPECT_TRUE(has(with([](auto& o) { o.box = 16; }), "out of the box"));
  EXPECT_TRUE(has(with([](auto& o) { o.defocus = {2, 1}; }), "--defocus"));
  EXPECT_TRUE(has(with([](auto& o) { o.defocus = {2}; }), "--defocus"));
  EXPECT_TRUE(has(with([](auto& o) { o.populations = "6:1,99:1"; }), "1 to 61"));
  EXPECT_TRUE(has(with([](auto& o) { o.populations = "6:1", o.profile = "x.csv"; }), "cannot both"));
  EXPECT_TRUE(has(with([](auto& o) { o.profile = "/nowhere/x.csv"; }), "/nowhere/x.csv"));
  EXPECT_TRUE(has(with([](auto& o) { o.spread = 1; }), "--spread"));
  EXPECT_TRUE(has(message({}, small(2)), "no models"));
  EXPECT_TRUE(has(message({folder_ / "absent.pdb"}, small(2)), "absent.pdb"));

  auto shorter = io::read_models(models()).front();
  shorter.atoms.pop_back();
  io::ModelSeries series;
  series.atoms = &shorter;
  series.positions = {io::positions_of(shorter)};
  io::write_models(folder_ / "short.pdb", series);
  const auto text = message({models(), folder_ / "short.pdb"}, small(2));
  EXPECT_TRUE(has(text, "short.pdb") && has(text, "same atoms")) << text;
  EXPECT_FALSE(fs::exists(folder_ / "out/particles.star"));
  EXPECT_FALSE(fs::exists(folder_ / "out/particles.mrcs"));
}
