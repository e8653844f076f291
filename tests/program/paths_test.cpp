#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cryoscape/particles/test_files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

/// The image names of a set's star file, rewritten.
void rename_images(const std::string& star, const std::function<std::string(std::size_t row)>& name) {
  edit_star(star, [&](Tables& tables) {
    auto& [table, rows] = tables.at(1);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i][table.column("rlnImageName")] = name(i);
  });
}

Settings in_folder(const fs::path& folder) {
  Settings settings;
  settings.working_folder = folder;
  return settings;
}

}  // namespace

TEST(Paths, OfAProjectRootSomewhereAboveTheFile) {
  const auto folder = test_folder();
  const auto set = copy_of_small_set(folder / "set");
  const auto job = folder / "project/Refine3D/job010", extract = folder / "project/Extract/job005";
  fs::create_directories(job), fs::create_directories(extract);
  fs::rename(set.stack(), extract / "p.mrcs");
  fs::rename(set.star(), job / "run_data.star");
  rename_images(job / "run_data.star",
                [](std::size_t i) { return std::to_string(i + 1) + "@Extract/job005/p.mrcs:mrcs"; });
  // From elsewhere, by a relative path, and from inside the project.
  const auto outside = run({"inspect", "project/Refine3D/job010/run_data.star"}, in_folder(folder));
  expect_success(outside);
  EXPECT_NE(outside.out.find("note: image paths start in " + (folder / "project").string()),
            std::string::npos)
      << outside.out;
  const auto inside = run({"train", "run_data.star", "--model", set.model(), "--out", "run", "--epochs", "1"},
                          in_folder(job));
  expect_success(inside);
  EXPECT_NE(inside.err.find("image paths start in " + (folder / "project").string()), std::string::npos);
  // The run remembers absolute paths: it resumes from anywhere.
  expect_success(run({"train", "run_data.star", "--out", job / "run", "--resume"}, in_folder(folder)));
}

TEST(Paths, GivenByDir) {
  const auto folder = test_folder();
  const auto set = copy_of_small_set(folder / "set");
  fs::create_directories(folder / "disk/deep");
  fs::rename(set.stack(), folder / "disk/deep/particles.mrcs");
  rename_images(set.star(), [](std::size_t i) { return std::to_string(i + 1) + "@deep/particles.mrcs"; });
  for (const char* dir : {"disk", "disk/deep"})
    EXPECT_NE(run({"inspect", set.star(), "--dir", dir}, in_folder(folder)).out.find("1, all found"),
              std::string::npos);
  const auto wrong = run({"train", set.star(), "--model", set.model(), "--out", "run", "--dir", "nowhere"},
                         in_folder(folder));
  expect_one_line(wrong, 1, {"deep/particles.mrcs", "nowhere", "--dir"});
}

TEST(Paths, OfExportedCryosparcGroups) {
  const auto folder = test_folder();
  particles::write_stack(folder / "J5/particles.mrc", 8, 4, 1.5);
  particles::CsBuilder(4)
      .images(">J5/particles.mrc", 8, 1.5f)
      .ctf()
      .floats("alignments3D/pose", {{0.1f, 0.2f, 0.3f}})
      .floats("alignments3D/shift", {{0.5f, -0.5f}})
      .floats("alignments3D/psize_A", {{1.5f}})
      .write(folder / "J5/exported.cs");
  const auto result = run({"inspect", "J5/exported.cs", "--json"}, in_folder(folder));
  expect_success(result);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["particles"], 4);
  EXPECT_EQ(json["stacks_missing"], 0);
  EXPECT_EQ(json["images"]["read"], 4);
}

TEST(Paths, MoreStacksThanFilesMayBeOpen) {
  constexpr std::size_t kStacks = 1100;
  const auto folder = test_folder();
  const auto set = copy_of_small_set(folder / "set");
  fs::create_directories(set.folder / "stacks");
  for (std::size_t i = 0; i < kStacks; ++i)
    fs::create_hard_link(set.stack(), set.folder / "stacks" / (std::to_string(i) + ".mrcs"));
  edit_star(set.star(), [&](Tables& tables) {
    auto& [table, rows] = tables.at(1);
    const auto few = rows;
    while (rows.size() < kStacks) rows.push_back(few[rows.size() % few.size()]);
  });
  rename_images(set.star(), [](std::size_t i) {
    return std::to_string(i % kParticles + 1) + "@stacks/" + std::to_string(i) + ".mrcs";
  });
  Settings few_files;
  few_files.open_files_limit = 1024;
  expect_success(run({"inspect", set.star(), "--model", set.model()}, few_files));
  expect_success(
      run(train_arguments(set.star(), set.model(), folder / "run", {"--epochs", "1", "--batch", "64"}),
          few_files));
}
