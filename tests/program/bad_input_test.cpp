#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

/// A copy of the small set to damage, and an earlier run that training from it must not.
class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    set_ = copy_of_small_set(test_folder() / "set");
    before_ = snapshot(small_run());
  }
  void TearDown() override { EXPECT_TRUE(snapshot(small_run()) == before_) << "the earlier run was changed"; }

  Result train(const std::vector<std::string>& more = {}) const {
    return run(train_arguments(set_.star(), set_.model(), small_run(), more));
  }
  Result inspect(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"inspect", set_.star()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  /// One value of the particle table replaced.
  void set_field(const std::string& label, std::size_t row, const std::string& value) const {
    edit_star(set_.star(), [&](Tables& tables) {
      auto& [table, rows] = tables.at(1);
      rows.at(row)[table.column(label)] = value;
    });
  }

  SmallSet set_;

 private:
  std::map<std::string, std::string> before_;
};

bool has_line(const std::string& text, std::initializer_list<std::string> parts) {
  const auto all = lines(text);
  return std::any_of(all.begin(), all.end(), [&](const std::string& line) {
    return std::all_of(parts.begin(), parts.end(),
                       [&](const std::string& part) { return line.find(part) != std::string::npos; });
  });
}

}  // namespace

TEST_F(BadInput, MissingParticlesFile) {
  fs::remove(set_.star());
  expect_one_line(train(), 1, {set_.star(), "no such file"});
  expect_one_line(inspect(), 1, {set_.star(), "no such file"});
}

TEST_F(BadInput, MissingStack) {
  fs::rename(set_.stack(), set_.folder / "elsewhere.mrcs");
  expect_one_line(train(), 1, {set_.star(), "1 of 1 image stacks are missing", "particles.mrcs", "--dir"});
  const auto result = inspect({"--model", set_.model()});
  expect_success(result);
  EXPECT_TRUE(has_line(result.out, {"stacks", "1 missing"})) << result.out;
  EXPECT_TRUE(has_line(result.out, {"note: ", "particles.mrcs", "--dir"})) << result.out;
  EXPECT_TRUE(has_line(result.out, {"contrast", "images are missing"})) << result.out;
  EXPECT_TRUE(has_line(result.out, {"model", "24 beads, centred"})) << result.out;
}

TEST_F(BadInput, TruncatedStack) {
  fs::resize_file(set_.stack(), fs::file_size(set_.stack()) - 100);
  expect_one_line(train(), 1, {set_.stack(), "truncated"});
  expect_one_line(inspect(), 1, {set_.stack(), "truncated"});
  fs::resize_file(set_.stack(), 500);
  expect_one_line(train(), 1, {set_.stack(), "500 bytes"});
}

TEST_F(BadInput, ImageNumberBeyondTheStack) {
  set_field("rlnImageName", 6, "000999@particles.mrcs");
  expect_one_line(train(), 1, {set_.star(), "row 7", "image 999", "only 60"});
  expect_one_line(inspect(), 1, {set_.star(), "row 7", "image 999", "only 60"});
  set_field("rlnImageName", 6, "000000@particles.mrcs");
  expect_one_line(train(), 1, {set_.star(), "row 7"});
}

TEST_F(BadInput, UnusableImagesAreLeftOutAndNamedByRow) {
  const auto out = set_.folder / "run";
  edit_images(set_.stack(), [](int image, std::vector<float>& pixels) {
    if (image == 3) pixels[40] = std::numeric_limits<float>::quiet_NaN();
    if (image == 10) std::fill(pixels.begin(), pixels.end(), 7.0f);
    if (image == 11) pixels[0] = std::numeric_limits<float>::infinity();
  });
  const auto result = run(train_arguments(set_.star(), set_.model(), out));
  expect_success(result);
  for (const int row : {4, 11, 12})
    EXPECT_TRUE(has_line(result.err, {"row " + std::to_string(row) + ")", "left out"})) << result.err;
  const auto latents = io::read_npy_matrix(out / "latents.npy");
  ASSERT_EQ(latents.rows, static_cast<std::size_t>(kParticles));
  for (std::size_t i = 0; i < latents.rows; ++i)
    EXPECT_EQ(std::isfinite(latents.values[i * latents.columns]), i != 3 && i != 10 && i != 11) << i;

  const auto inspected = inspect({"--model", set_.model()});
  expect_success(inspected);
  EXPECT_TRUE(has_line(inspected.out, {"warning: 3 of 60 sampled images", "rows 4, 11, 12"}))
      << inspected.out;
  EXPECT_TRUE(has_line(inspected.out, {"contrast", "bright"})) << inspected.out;
}

TEST_F(BadInput, NoUsableImageAtAll) {
  edit_images(set_.stack(),
              [](int, std::vector<float>& pixels) { std::fill(pixels.begin(), pixels.end(), 2.0f); });
  expect_last_line(train(), 1, {set_.star(), "constant or not finite"});
  const auto result = inspect({"--model", set_.model()});
  expect_success(result);
  EXPECT_TRUE(has_line(result.out, {"warning: 60 of 60 sampled images"})) << result.out;
}

TEST_F(BadInput, NoPoses) {
  edit_star(set_.star(), [](Tables& tables) { drop_column(tables, "rlnAngleTilt"); });
  expect_one_line(train(), 1, {set_.star(), "rlnAngleTilt", "no poses"});
  expect_one_line(inspect(), 1, {set_.star(), "rlnAngleTilt", "no poses"});
}

TEST_F(BadInput, NoCtf) {
  edit_star(set_.star(), [](Tables& tables) { drop_column(tables, "rlnDefocusU"); });
  expect_one_line(train(), 1, {set_.star(), "rlnDefocusU"});
}

TEST_F(BadInput, NoMicroscope) {
  edit_star(set_.star(), [](Tables& tables) { drop_column(tables, "rlnVoltage"); });
  expect_one_line(train(), 1, {set_.star(), "rlnVoltage"});
}

TEST_F(BadInput, NoPixelSizeAnywhere) {
  edit_star(set_.star(), [](Tables& tables) {
    drop_column(tables, "rlnImagePixelSize");
    drop_column(tables, "rlnMicrographOriginalPixelSize");
  });
  // The header of the stack still tells it.
  const auto result = inspect();
  expect_success(result);
  EXPECT_TRUE(has_line(result.out, {"note: ", "pixel size 3.0000 A taken from the header"})) << result.out;
  edit_images(set_.stack(), [](int, std::vector<float>&) {});
  std::fstream stack(set_.stack(), std::ios::in | std::ios::out | std::ios::binary);
  stack.seekp(10 * 4).write(std::string(12, '\0').data(), 12);  // the cell
  stack.close();
  expect_one_line(train(), 1, {set_.star(), "no pixel size"});
}

TEST_F(BadInput, NumbersThatAreNone) {
  set_field("rlnAnglePsi", 2, "nan");
  expect_one_line(train(), 1, {set_.star(), "rlnAnglePsi", "row 3"});
}

TEST_F(BadInput, OddBox) {
  io::StackWriter writer(set_.stack(), 25, 3);
  std::vector<float> image(25 * 25);
  for (int i = 0; i < kParticles; ++i) {
    for (std::size_t p = 0; p < image.size(); ++p) image[p] = static_cast<float>(p % 7);
    writer.append(image);
  }
  writer.close();
  expect_one_line(train(), 1, {set_.stack(), "25 pixels", "odd box", "even"});
  expect_one_line(inspect(), 1, {set_.stack(), "25 pixels", "odd box", "even"});
}

TEST_F(BadInput, OddOrTooLargeTrainingBox) {
  expect_one_line(train({"--box", "23"}), 1, {"--box", "even"});
  expect_one_line(train({"--box", "48"}), 1, {"--box", "24 pixels"});
}

TEST_F(BadInput, ModelFarFromTheBox) {
  write_helix(set_.model(), 1, 500);
  expect_one_line(train(), 1, {"outside", "72 A", "--map", "--model-origin"});
  const auto result = inspect({"--model", set_.model()});
  expect_success(result);
  EXPECT_TRUE(has_line(result.out, {"warning: ", "outside", "--model-origin"})) << result.out;
  EXPECT_TRUE(has_line(result.out, {"contrast", "not tested"})) << result.out;
}

TEST_F(BadInput, ModelsThatCannotBeUsed) {
  replace_text_file(set_.model(), "");
  expect_one_line(train(), 1, {set_.model(), "no atoms"});
  expect_one_line(inspect({"--model", set_.model()}), 1, {set_.model(), "no atoms"});
  replace_text_file(set_.model(),
                    "HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00  0.00           O\n");
  expect_one_line(train(), 1, {"model"});
  fs::remove(set_.model());
  expect_one_line(train(), 1, {set_.model(), "no such file"});
  expect_one_line(inspect({"--model", set_.model()}), 1, {set_.model(), "no such file"});
}

TEST_F(BadInput, ModelThatDoesNotMatchTheImages) {
  edit_images(set_.stack(), [](int image, std::vector<float>& pixels) {
    // Stripes that no projection of a molecule resembles.
    for (std::size_t p = 0; p < pixels.size(); ++p)
      pixels[p] = static_cast<float>((p / kBox + p + image) % 2);
  });
  const auto result = inspect({"--model", set_.model()});
  expect_success(result);
  EXPECT_TRUE(has_line(result.out, {"warning: ", "do not match the images"})) << result.out;
  EXPECT_TRUE(has_line(result.out, {"contrast", "undecided"})) << result.out;
}

TEST_F(BadInput, MapsThatCannotBeUsed) {
  expect_one_line(inspect({"--model", set_.model(), "--map", set_.star()}), 1, {set_.star(), "MRC"});
  expect_one_line(train({"--map", set_.folder / "none.mrc"}), 1, {"none.mrc"});
}

TEST_F(BadInput, FilesOfUnknownKindOrWithoutParticles) {
  expect_one_line(run({"inspect", set_.stack()}), 1, {set_.stack(), ".star", ".cs"});
  edit_star(set_.star(), [](Tables& tables) { tables.at(1).rows.clear(); });
  expect_one_line(train(), 1, {set_.star(), "no particles"});
  replace_text_file(set_.star(), "hello\n");
  expect_one_line(train(), 1, {set_.star()});
}
