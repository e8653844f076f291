#include "cryoscape/training/dataset.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

class DatasetTest : public DataSetTest {
 protected:
  /// The helix moved by this much along every axis, as a PDB file.
  std::string moved_model(float by) {
    auto model = bent_helix(0);
    for (auto& a : model.atoms)
      for (auto& x : a.position) x += by;
    io::write_models(folder_ / "moved.pdb", {&model, {io::positions_of(model)}, {}});
    return folder_ / "moved.pdb";
  }
  Dataset decided(const InputOptions& options) {
    auto data = open_dataset(options, {});
    decide_contrast(data, options, 2);
    return data;
  }
};

TEST_F(DatasetTest, ChoosesTheGridFromTheImages) {
  auto options = input(simulate_particles("data", 8, 1));
  const auto whole = open_dataset(options, {}).grid;
  EXPECT_EQ(whole.box, 24);
  EXPECT_DOUBLE_EQ(whole.pixel_size, 3);
  EXPECT_EQ(whole.max_shell, 12);
  EXPECT_GT(whole.diameter, 36);
  EXPECT_LT(whole.diameter, 0.96 * 72);
  // 72 Å in 12 pixels; shells up to 72 / 15 Å.
  options.box = 12;
  EXPECT_DOUBLE_EQ(open_dataset(options, {}).grid.pixel_size, 6);
  options.box = 0, options.resolution = 15;
  const auto coarse = open_dataset(options, {}).grid;
  EXPECT_EQ(coarse.max_shell, 4);
  EXPECT_EQ(coarse.box, 10);
  EXPECT_DOUBLE_EQ(coarse.box * coarse.pixel_size, 72);
  // Finer than the images' pixels allow: all there is.
  options.resolution = 1;
  EXPECT_EQ(open_dataset(options, {}).grid.box, 24);
  EXPECT_EQ(open_dataset(options, {}).grid.max_shell, 12);
}

TEST_F(DatasetTest, WrongBoxesResolutionsAndDiametersAreNamed) {
  const auto star = simulate_particles("data", 4, 1);
  const auto complaint = [&](const std::function<void(InputOptions&)>& change) {
    auto options = input(star);
    change(options);
    return error_of([&] { open_dataset(options, {}); });
  };
  EXPECT_MENTIONS(complaint([](auto& o) { o.box = 13; }), "--box");
  EXPECT_MENTIONS(complaint([](auto& o) { o.box = 26; }), "24 pixels");
  EXPECT_MENTIONS(complaint([](auto& o) { o.resolution = 40; }), "--resolution");
  EXPECT_MENTIONS(complaint([](auto& o) { o.diameter = 73; }), "--diameter");
}

TEST_F(DatasetTest, ModelsAreRequiredAndRead) {
  const auto star = simulate_particles("data", 4, 1);
  auto options = input(star);
  options.model = "";
  EXPECT_THROW(open_dataset(options, {}), UsageError);
  EXPECT_MENTIONS(error_of([&] { open_dataset(options, {}); }), "--model");
  options.model = folder_ / "absent.pdb";
  EXPECT_MENTIONS(error_of([&] { open_dataset(options, {}); }), "absent.pdb");
  for (const char* text : {"", "REMARK nothing here\nEND\n"}) {
    std::ofstream(folder_ / "empty.pdb") << text;
    options.model = folder_ / "empty.pdb";
    EXPECT_MENTIONS(error_of([&] { open_dataset(options, {}); }), "empty.pdb");
  }
  options = input(star);
  options.particles = folder_ / "absent.star";
  EXPECT_MENTIONS(error_of([&] { open_dataset(options, {}); }), "absent.star");
}

TEST_F(DatasetTest, ModelsAreCentredWhereverTheyStart) {
  auto options = input(simulate_particles("data", 4, 1));
  const auto home = open_dataset(options, {}).scene();
  options.model = moved_model(36);
  const auto corner = open_dataset(options, {});
  EXPECT_NEAR(corner.grid.centre[0], 36, 1e-6);
  const auto scene = corner.scene();
  ASSERT_EQ(scene.coordinates.size(), home.coordinates.size());
  for (std::size_t i = 0; i < home.coordinates.size(); ++i)
    EXPECT_NEAR(scene.coordinates[i], home.coordinates[i], 2e-3);
  options.model = moved_model(500);
  EXPECT_MENTIONS(error_of([&] { open_dataset(options, {}); }), "--model-origin");
  options.model = moved_model(36), options.model_origin = "centre";
  EXPECT_NEAR(open_dataset(options, {}).grid.centre[0], 0, 1e-9);
}

TEST_F(DatasetTest, AGridThatIsGivenIsKept) {
  const auto options = input(simulate_particles("data", 4, 1));
  Grid grid{16, 7, 4.5, 50, -1, {1, 2, 3}};
  const auto data = open_dataset(options, grid);
  EXPECT_EQ(data.grid.box, 16);
  EXPECT_EQ(data.grid.max_shell, 7);
  EXPECT_EQ(data.grid.sign, -1);
  EXPECT_NEAR(data.scene().coordinates[0], data.beads.coordinates[0] - 1, 1e-5);
  const auto loader = data.loader_options(5, true);
  EXPECT_EQ(loader.batch, 5);
  EXPECT_TRUE(loader.with_images);
  EXPECT_EQ(loader.grid.box, 16);
  EXPECT_EQ(loader.grid.sign, -1);
  EXPECT_EQ(loader.grid.diameter, 50);
}

TEST_F(DatasetTest, ContrastIsDecidedByTheImages) {
  const auto white = simulate_particles("white", 60, 0.5), black = negative(white, "black");
  struct Case {
    std::filesystem::path star;
    std::string contrast;
    bool invert;
    float sign;
    bool warned;
  };
  for (const auto& c : {Case{white, "auto", false, 1, false}, Case{black, "auto", false, -1, false},
                        Case{white, "white", false, 1, false}, Case{black, "black", false, -1, false},
                        Case{white, "black", false, -1, true}, Case{black, "white", false, 1, true},
                        Case{white, "auto", true, -1, false}, Case{black, "auto", true, 1, false}}) {
    auto options = input(c.star);
    options.contrast = c.contrast, options.invert = c.invert;
    const auto data = decided(options);
    EXPECT_EQ(data.grid.sign, c.sign) << c.star << c.contrast << c.invert;
    EXPECT_EQ(!data.warnings.empty(), c.warned) << c.star << c.contrast << c.invert;
  }
}

TEST_F(DatasetTest, AgreementIsOppositeForInvertedImages) {
  const auto white = simulate_particles("white", 40, 1);
  const auto data = open_dataset(input(white), {}),
             inverted = open_dataset(input(negative(white, "black")), {});
  const auto a = measure_agreement(data, 2, 500), b = measure_agreement(inverted, 2, 500);
  EXPECT_GT(a.significance(), 5);
  EXPECT_NEAR(a.correlation, -b.correlation, 1e-5);
  EXPECT_NEAR(a.standard_error, b.standard_error, 1e-5);
}

TEST_F(DatasetTest, ImagesOfNothingAreWarnedOf) {
  const auto data = decided(input(simulate_particles("noise", 60, 1e-7)));
  EXPECT_EQ(data.grid.sign, 1);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_MENTIONS(data.warnings[0], "do not match");
}
