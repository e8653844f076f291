#include <gtest/gtest.h>

#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;
namespace fs = std::filesystem;

namespace {

/// Rows of a second optics group behind those of relion31_text.
std::string two_groups(const std::string& second, const std::vector<std::string>& rows) {
  auto text = relion31_text("a.mrcs", 1, "1 g1 300 2.7 0.1 1.5 8\n" + second);
  for (const auto& r : rows) text += r + "\n";
  return text;
}

/// The working folder for the lifetime of this object.
class WorkingFolder {
 public:
  explicit WorkingFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~WorkingFolder() { fs::current_path(before_); }

 private:
  fs::path before_;
};

}  // namespace

TEST(LocateStacks, LooksInDirTheFilesFolderItsParentsAndTheWorkingFolder) {
  const auto folder = test_folder();
  const auto project = folder / "project", job = project / "Refine3D/job010",
             elsewhere = folder / "elsewhere";
  fs::create_directories(job);
  replace_text_file(job / "p.star", relion31_text("Extract/a.mrcs", 2));
  ReadOptions options;
  const auto found = [&] { return read_particles(job / "p.star", options); };

  write_stack(elsewhere / "Extract/a.mrcs", 8, 2, 1.5);
  {
    const WorkingFolder working(elsewhere);
    const auto set = found();
    EXPECT_TRUE(fs::equivalent(set.stacks[0], elsewhere / "Extract/a.mrcs"));
  }
  write_stack(project / "Extract/a.mrcs", 8, 2, 1.5);
  EXPECT_EQ(found().stacks[0], project / "Extract/a.mrcs");
  EXPECT_TRUE(has_note(found().notes, "image paths start in " + project.string()));
  write_stack(job / "Extract/a.mrcs", 8, 2, 1.5);
  EXPECT_EQ(found().stacks[0], job / "Extract/a.mrcs");

  options.dir = elsewhere;
  EXPECT_EQ(found().stacks[0], elsewhere / "Extract/a.mrcs");
  // A folder that holds the stacks alone.
  options.dir = elsewhere / "Extract";
  EXPECT_EQ(found().stacks[0], elsewhere / "Extract/a.mrcs");
  EXPECT_TRUE(has_note(found().notes, "(by file name)"));
  // What --dir does not hold is looked for in the other places, and the notes say so.
  options.dir = folder;
  EXPECT_EQ(found().stacks[0], job / "Extract/a.mrcs");
  EXPECT_TRUE(has_note(found().notes, "image paths start in " + job.string()));
}

TEST(LocateStacks, StacksInSeveralPlacesAreCounted) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  write_stack(folder / "job/b.mrcs", 8, 1, 1.5);
  write_stack(folder / "job/c.mrcs", 8, 1, 1.5);
  auto text = relion31_text("a.mrcs", 1);
  for (const char* name : {"b", "c"}) text += "1@" + std::string(name) + ".mrcs 1 0 0 0 0 0 1 2 3 1\n";
  replace_text_file(folder / "job/p.star", text);
  const auto set = read_particles(folder / "job/p.star", {});
  EXPECT_TRUE(has_note(set.notes, "1 image paths start in " + folder.string()));
  EXPECT_TRUE(has_note(set.notes, "2 image paths start in " + (folder / "job").string()));
}

TEST(LocateStacks, MissingStacksAreOneErrorThatSaysWhereItLooked) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  auto text = relion31_text("a.mrcs", 1);
  for (const char* name : {"b", "c"}) text += "1@X/" + std::string(name) + ".mrcs 1 0 0 0 0 0 1 2 3 1\n";
  replace_text_file(folder / "p.star", text);
  ReadOptions options;
  options.dir = folder / "nowhere";
  const auto message = error_of([&] { read_particles(folder / "p.star", options); });
  for (const auto& part : {std::string("2 of 3 image stacks are missing, the first is X/b.mrcs"),
                           folder.string() + "/nowhere", fs::current_path().string(), std::string("--dir")})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  options.images_required = false;
  const auto set = read_particles(folder / "p.star", options);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_FALSE(set.stacks[0].empty());
  EXPECT_TRUE(set.stacks[1].empty());
  EXPECT_TRUE(has_note(set.notes, "2 of 3 image stacks are missing"));
}

TEST(LocateStacks, BoxAndPixelSizeComeFromTheStackWhereTheGroupHasNone) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  write_stack(folder / "b.mrcs", 16, 1, 0.75);
  // The second group has particles only in a stack that begins with the first group's.
  replace_text_file(folder / "p.star",
                    two_groups("2 g2 300 2.7 0.1 0 0\n3 g3 300 2.7 0.1 0 0",
                               {"1@b.mrcs 2 0 0 0 0 0 1 2 3 1", "1@a.mrcs 3 0 0 0 0 0 1 2 3 1"}));
  const auto set = read_particles(folder / "p.star", {});
  EXPECT_EQ(set.optics_groups[1].box, 16);
  EXPECT_NEAR(set.optics_groups[1].pixel_size, 0.75, 1e-6);
  EXPECT_EQ(set.optics_groups[2].box, 8);
  EXPECT_NEAR(set.optics_groups[2].pixel_size, 1.5, 1e-6);
  EXPECT_TRUE(has_note(set.notes, "optics group g2: pixel size 0.7500 A taken from the header of b.mrcs"));
  EXPECT_TRUE(has_note(set.notes, "optics group g3: box 8 taken from the header of a.mrcs"));
}

TEST(LocateStacks, ThousandsOfStacksFillEveryGroup) {
  const auto folder = test_folder();
  // More stacks than are opened one by one; only the second, which an even sample skips, has group 2.
  constexpr int kStacks = 4100;
  write_stack(folder / "0.mrcs", 2, 1, 1.5);
  auto text = relion31_text("0.mrcs", 1, "1 g1 300 2.7 0.1 1.5 2\n2 g2 300 2.7 0.1 0 0");
  for (int i = 1; i < kStacks; ++i) {
    const auto name = std::to_string(i) + ".mrcs";
    fs::create_hard_link(folder / "0.mrcs", folder / name);
    text += "1@" + name + (i == 1 ? " 2" : " 1") + " 0 0 0 0 0 1 2 3 1\n";
  }
  replace_text_file(folder / "p.star", text);
  const auto set = read_particles(folder / "p.star", {});
  EXPECT_EQ(set.stacks.size(), static_cast<std::size_t>(kStacks));
  EXPECT_EQ(set.optics_groups[1].box, 2);
  EXPECT_NEAR(set.optics_groups[1].pixel_size, 1.5, 1e-6);
  // Every file must be there, even those whose headers are not read.
  fs::remove(folder / "4097.mrcs");
  EXPECT_NE(error_of([&] { read_particles(folder / "p.star", {}); }).find("the first is 4097.mrcs"),
            std::string::npos);
  fs::remove_all(folder);
}

TEST(LocateStacks, PixelSizeOfTheMicrographsIsTheLastResort) {
  const auto folder = test_folder();
  auto text = relion31_text("a.mrcs", 1);
  text.replace(text.find("rlnImagePixelSize"), 17, "rlnMicrographPixelSize");
  replace_text_file(folder / "p.star", text);
  write_stack(folder / "a.mrcs", 8, 1, 3);
  EXPECT_NEAR(read_particles(folder / "p.star", {}).optics_groups[0].pixel_size, 3, 1e-6);
  // 1 Å in a header means that nobody wrote it.
  write_stack(folder / "a.mrcs", 8, 1, 1);
  const auto set = read_particles(folder / "p.star", {});
  EXPECT_EQ(set.optics_groups[0].pixel_size, 1.5);
  EXPECT_TRUE(has_note(set.notes, "is the micrographs'"));
}

TEST(LocateStacks, ShiftsInPixelsUseAPixelSizeFromTheHeader) {
  const auto folder = test_folder();
  auto text = relion31_text("a.mrcs", 1, "1 g1 300 2.7 0.1 0 8");
  for (const char* label : {"rlnOriginXAngst", "rlnOriginYAngst"}) {
    const std::string wanted(label);
    text.replace(text.find(wanted), wanted.size(), wanted.substr(0, wanted.size() - 5));
  }
  replace_text_file(folder / "p.star", text);
  write_stack(folder / "a.mrcs", 8, 1, 2);
  const auto set = read_particles(folder / "p.star", {});
  EXPECT_FLOAT_EQ(set.particles[0].shift[0], 3);
  EXPECT_FLOAT_EQ(set.particles[0].shift[1], -5);
}

TEST(LocateStacks, HeadersThatContradictTheMetadata) {
  const auto folder = test_folder();
  const auto read = [&] { return read_particles(folder / "p.star", {}); };
  const auto message = [&] { return error_of([&] { read(); }); };
  replace_text_file(folder / "p.star", relion31_text("a.mrcs", 2));
  write_stack(folder / "a.mrcs", 8, 2, 3);
  EXPECT_TRUE(has_note(read().notes, "pixel size 1.5000 A is used, but the header of a.mrcs says 3.0000"));
  write_stack(folder / "a.mrcs", 16, 2, 1.5);
  EXPECT_NE(message().find("has images of 16 pixels, but optics group g1 has 8"), std::string::npos);
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  EXPECT_NE(message().find("row 2 names image 2 of"), std::string::npos);
  write_stack(folder / "a.mrcs", 7, 2, 1.5);
  EXPECT_NE(message().find("has images of 7 pixels, an odd box"), std::string::npos);
  io::write_mrc(folder / "a.mrcs", {8, 6, 2, 1.5, {}, std::vector<float>(96)});
  EXPECT_NE(message().find("8 x 6 pixels: particles must be square"), std::string::npos);
  write_stack(folder / "a.mrcs", 8, 2, 1.5);
  fs::resize_file(folder / "a.mrcs", fs::file_size(folder / "a.mrcs") - 4);
  EXPECT_NE(message().find("a.mrcs"), std::string::npos);
  EXPECT_NE(message().find("truncated"), std::string::npos) << message();
  replace_text_file(folder / "a.mrcs", "no image");
  EXPECT_NE(message().find("a.mrcs"), std::string::npos);
  // Without images, an odd box in the metadata is still refused.
  replace_text_file(folder / "p.star", relion31_text("b.mrcs", 2, "1 g1 300 2.7 0.1 1.5 7"));
  ReadOptions options;
  options.images_required = false;
  EXPECT_NE(error_of([&] { read_particles(folder / "p.star", options); }).find("odd box of 7 pixels"),
            std::string::npos);
}
