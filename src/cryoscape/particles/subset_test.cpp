#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

using Rows = std::vector<std::uint32_t>;

/// Six particles of a.mrcs in a folder of the test's own.
std::filesystem::path six_particles() {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 6, 1.5);
  replace_text_file(folder / "p.star", relion31_text("a.mrcs", 6));
  return folder;
}

ParticleSet subset(const std::filesystem::path& folder, const std::string& name, const std::string& text) {
  replace_text_file(folder / name, text);
  ReadOptions options;
  options.subset = folder / name;
  return read_particles(folder / "p.star", options);
}

std::string without_column(std::string text, const std::string& label) {
  return text.replace(text.find(label), label.size(), "rlnOther");
}

}  // namespace

TEST(Subset, RowsOfATextFile) {
  const auto folder = six_particles();
  const auto set = subset(folder, "rows.txt", "4\n\n 1 \r\n4\n");
  EXPECT_EQ(set.rows, (Rows{1, 4}));
  EXPECT_EQ(set.source_rows, 6u);
  EXPECT_EQ(set.particles[1].slice, 4u);
  for (const char* bad : {"6", "-1", "1.5", "two", "1 2"}) {
    const auto message = error_of([&] { subset(folder, "rows.txt", "0\n" + std::string(bad) + "\n"); });
    EXPECT_NE(message.find("rows.txt:2: '" + std::string(bad) + "' is not a row from 0 to 5"),
              std::string::npos)
        << message;
  }
  EXPECT_NE(error_of([&] { subset(folder, "rows.txt", "\n"); }).find("no particle is left"),
            std::string::npos);
}

TEST(Subset, NamesOfAStarFileWithoutAnythingElse) {
  const auto folder = six_particles();
  const auto set = subset(folder, "some.star",
                          star_table("particles", {"rlnMicrographName", "rlnImageName"},
                                     {"m 3@a.mrcs", "m 0000001@a.mrcs:mrcs", "m 9@a.mrcs", "m 1@b.mrcs"}));
  EXPECT_EQ(set.rows, (Rows{0, 2}));
  EXPECT_TRUE(has_note(set.notes, "2 of the 4 particles of the subset some.star are not in the file"));
  EXPECT_NE(error_of([&] {
              subset(folder, "x.star", star_table("particles", {"rlnAngleRot"}, {"1"}));
            }).find("no column rlnImageName"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              subset(folder, "x.star", star_table("particles", {"rlnImageName"}, {"7@a.mrcs"}));
            }).find("no particle is left"),
            std::string::npos);
}

TEST(Subset, CryosparcByUidAndByImage) {
  const auto folder = six_particles();
  CsBuilder all(4), some(2);
  all.integers("uid", {40, 41, 42, 43}, "u8")
      .images("a.mrcs", 8, 1.5f)
      .ctf()
      .floats("alignments3D/pose", {{0, 0, 0}});
  all.write(folder / "p.cs");
  some.integers("uid", {43, 41}, "u8").write(folder / "some.cs");
  ReadOptions options;
  options.subset = folder / "some.cs";
  EXPECT_EQ(read_particles(folder / "p.cs", options).rows, (Rows{1, 3}));
  // A STAR file has no uid: images are compared.
  EXPECT_NE(error_of([&] { read_particles(folder / "p.star", options); }).find("no blob/path"),
            std::string::npos);
  some.strings("blob/path", {">a.mrcs"}).integers("blob/idx", {5, 0});
  some.write(folder / "some.cs");
  EXPECT_EQ(read_particles(folder / "p.star", options).rows, (Rows{0, 5}));
}

TEST(Subset, OnlyItsOwnStacksAreNeededAndEmptyGroupsGo) {
  const auto folder = test_folder();
  write_stack(folder / "b.mrcs", 8, 2, 1.5);
  auto text = relion31_text("absent.mrcs", 2, "1 g1 300 2.7 0.1 0 0\n2 g2 300 2.7 0.1 1.5 8");
  text += "2@b.mrcs 2 0 0 0 0 0 1 2 3 1\n";
  replace_text_file(folder / "p.star", text);
  EXPECT_NE(error_of([&] { read_particles(folder / "p.star", {}); }).find("absent.mrcs"), std::string::npos);
  const auto set = subset(folder, "rows.txt", "2\n");
  ASSERT_EQ(set.size(), 1u);
  ASSERT_EQ(set.optics_groups.size(), 1u);
  EXPECT_EQ(set.optics_groups[set.particles[0].optics_group].name, "g2");
  EXPECT_TRUE(has_note(set.notes, "optics groups without particles: g1"));
  EXPECT_EQ(image_name(set, 0), "000002@b.mrcs");
}

TEST(HalfSets, TakenFromTheFileWhereItHasThem) {
  const auto folder = six_particles();
  ReadOptions options;
  options.half = 2;
  EXPECT_EQ(read_particles(folder / "p.star", options).rows, (Rows{1, 3, 5}));
  options.subset = folder / "rows.txt";
  replace_text_file(*options.subset, "0\n1\n");
  EXPECT_EQ(read_particles(folder / "p.star", options).rows, (Rows{1}));
  // A particle of neither half-set is never lost in silence.
  auto text = relion31_text("a.mrcs", 5);
  text += "6@a.mrcs 1 0 0 0 0 0 1 2 3 0\n";
  replace_text_file(folder / "p.star", text);
  options.subset.reset();
  EXPECT_TRUE(
      has_note(read_particles(folder / "p.star", options).notes, "1 particles are in neither half-set"));
}

TEST(HalfSets, MadeByNameWhereTheFileHasNone) {
  const auto folder = test_folder();
  constexpr int kParticles = 400;
  write_stack(folder / "a.mrcs", 2, kParticles, 1.5);
  const auto text =
      without_column(relion31_text("a.mrcs", kParticles, "1 g1 300 2.7 0.1 1.5 2"), "rlnRandomSubset");
  replace_text_file(folder / "p.star", text);
  ReadOptions options;
  options.half = 1;
  const auto first = read_particles(folder / "p.star", options);
  options.half = 2;
  const auto second = read_particles(folder / "p.star", options);
  EXPECT_TRUE(has_note(first.notes, "made by particle name"));
  Rows both = first.rows;
  both.insert(both.end(), second.rows.begin(), second.rows.end());
  std::sort(both.begin(), both.end());
  ASSERT_EQ(both.size(), static_cast<std::size_t>(kParticles));
  for (std::uint32_t i = 0; i < kParticles; ++i) EXPECT_EQ(both[i], i);
  // Even to within six standard deviations.
  EXPECT_NEAR(static_cast<double>(first.size()), kParticles / 2, 60);
  // The same particles keep their half-set in another file.
  options.half = 1;
  options.subset = folder / "rows.txt";
  replace_text_file(*options.subset, "10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n");
  Rows expected;
  for (const auto r : first.rows)
    if (r >= 10 && r < 20) expected.push_back(r);
  EXPECT_EQ(read_particles(folder / "p.star", options).rows, expected);
}
