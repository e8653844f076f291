#include "cryoscape/particles/export.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/test_files.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

const std::vector<ExtraColumn> kExtra{
    {"rlnClassNumber", [](std::size_t i) { return std::to_string(i + 1); }},
    {"rlnHeterogeneityLatent1", [](std::size_t i) { return std::to_string(0.5 * static_cast<double>(i)); }}};

std::string version_lines(const std::filesystem::path& path) {
  const auto text = read_text_file(path);
  std::size_t count = 0;
  for (auto at = text.find("# version 30001"); at != std::string::npos;
       at = text.find("# version 30001", at + 1))
    ++count;
  return std::to_string(count);
}

}  // namespace

TEST(ExportStar, KeepsTablesColumnsOrderAndValuesOfTheSource) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrc", 8, 4, 1.5);
  auto text = star_table("general", {"rlnSomething"}, {"\"a b\""}) + relion31_text("a.mrc:mrcs", 0) +
              "4@a.mrc:mrcs 1 1.5e1 2 3 0 0 1 2 3 1\n2@a.mrc:mrcs 1 +015.0 2 3 0 0 1 2 3 1\n1@a.mrc:mrcs 1 7 "
              "8 9 0 0 1 2 3 2\n";
  text += "\ndata_job\n\n_rlnJobName 'two words'\n_rlnJobType 9\n";
  // A class column in the middle is replaced where it stands; an unknown column stays.
  for (const auto& [label, other] :
       {std::pair{"rlnOriginYAngst", "rlnClassNumber"}, std::pair{"rlnOriginXAngst", "dummyVariable"}}) {
    const std::string wanted(label);
    text.replace(text.find(wanted), wanted.size(), other);
  }
  replace_text_file(folder / "p.star", text);
  ReadOptions options;
  options.subset = folder / "rows.txt";
  replace_text_file(*options.subset, "0\n2\n");
  const auto set = read_particles(folder / "p.star", options);
  write_particles_star(folder / "run/out.star", set, kExtra);

  const auto before = io::read_star_tables(folder / "p.star"),
             after = io::read_star_tables(folder / "run/out.star");
  ASSERT_EQ(after.size(), 4u);
  for (const int t : {0, 1, 3}) {
    EXPECT_EQ(after[t].table.name, before[t].table.name);
    EXPECT_EQ(after[t].table.columns, before[t].table.columns);
    EXPECT_EQ(after[t].table.is_list, before[t].table.is_list);
    EXPECT_EQ(after[t].rows, before[t].rows);
  }
  auto columns = before[2].table.columns;
  columns.push_back("rlnHeterogeneityLatent1");
  EXPECT_EQ(after[2].table.columns, columns);
  ASSERT_EQ(after[2].rows.size(), 2u);
  EXPECT_EQ(after[2].rows[0], (std::vector<std::string>{"4@a.mrc:mrcs", "1", "1.5e1", "2", "3", "0", "1", "1",
                                                        "2", "3", "1", "0.000000"}));
  EXPECT_EQ(after[2].rows[1], (std::vector<std::string>{"1@a.mrc:mrcs", "1", "7", "8", "9", "0", "2", "1",
                                                        "2", "3", "2", "0.500000"}));
  EXPECT_EQ(version_lines(folder / "run/out.star"), "4");
  // Written over its own source, and read again.
  const auto all = read_particles(folder / "p.star", {});
  write_particles_star(folder / "p.star", all, kExtra);
  write_particles_star(folder / "p.star", all, kExtra);
  const auto again = io::read_star_tables(folder / "p.star");
  EXPECT_EQ(again[2].table.columns, columns);
  EXPECT_EQ(again[2].rows.size(), 3u);
}

TEST(ExportStar, FlatFilesStayFlat) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  replace_text_file(
      folder / "p.star",
      star_table("",
                 {"rlnImageName", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnDefocusU", "rlnDefocusV",
                  "rlnDefocusAngle", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"},
                 {"1@a.mrcs 1 2 3 4 5 6 300 2.7 0.1"}));
  write_particles_star(folder / "out.star", read_particles(folder / "p.star", {}), kExtra);
  const auto tables = io::read_star_tables(folder / "out.star");
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].table.name, "");
  EXPECT_EQ(tables[0].table.columns.size(), 12u);
  // RELION converts such files itself, and only if they do not claim a newer version.
  EXPECT_EQ(version_lines(folder / "out.star"), "0");
}

TEST(ExportStar, ASourceThatShrankIsAnErrorAndKeepsTheOldResult) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 3, 1.5);
  replace_text_file(folder / "p.star", relion31_text("a.mrcs", 3));
  const auto set = read_particles(folder / "p.star", {});
  replace_text_file(folder / "p.star", relion31_text("a.mrcs", 2));
  replace_text_file(folder / "out.star", "old");
  EXPECT_NE(error_of([&] {
              write_particles_star(folder / "out.star", set, kExtra);
            }).find("it was changed meanwhile"),
            std::string::npos);
  EXPECT_EQ(read_text_file(folder / "out.star"), "old");
}

TEST(ExportStar, CryosparcParticlesReadBackAsTheSameParticles) {
  const auto folder = test_folder();
  constexpr std::size_t kParticles = 200;
  write_stack(folder / "J1/p.mrc", 8, kParticles, 1.5);
  std::vector<std::vector<float>> poses, shifts;
  Philox random(5, 1);
  for (std::size_t i = 0; i < kParticles; ++i) {
    const float angle = static_cast<float>(3.1 * random.uniform());
    float a[3], norm = 0;
    for (auto& x : a) x = static_cast<float>(random.uniform() - 0.5), norm += x * x;
    poses.push_back(
        {a[0] / std::sqrt(norm) * angle, a[1] / std::sqrt(norm) * angle, a[2] / std::sqrt(norm) * angle});
    shifts.push_back({static_cast<float>(10 * random.uniform()), static_cast<float>(-5 * random.uniform())});
  }
  poses[0] = {0, 0, 0}, poses[1] = {0, 0, 1.25f};  // on the pole, where rot and psi are one angle
  CsBuilder cs(kParticles);
  cs.images("J1/p.mrc", 8, 1.5f)
      .ctf()
      .floats("alignments3D/pose", poses)
      .floats("alignments3D/shift", shifts)
      .floats("alignments3D/psize_A", {{3}})
      .integers("alignments3D/split", {0, 1})
      .floats("ctf/phase_shift_rad", {{0.3f}})
      .floats("ctf/anisomag", {{0.01f, 0.002f, 0.003f, -0.01f}})
      .integers("ctf/exp_group_id", {3, 3, 8})
      .floats("ctf/scale", {{0.9f}})
      .floats("ctf/bfactor", {{12}});
  cs.write(folder / "p.cs");
  const auto set = read_particles(folder / "p.cs", {});
  write_particles_star(folder / "out.star", set, kExtra);
  const auto back = read_particles(folder / "out.star", {});
  ASSERT_EQ(back.size(), kParticles);
  EXPECT_EQ(back.optics_groups.size(), 2u);
  for (std::size_t g = 0; g < 2; ++g) {
    EXPECT_EQ(back.optics_groups[g].name, set.optics_groups[g].name);
    EXPECT_NEAR(back.optics_groups[g].cs_mm, set.optics_groups[g].cs_mm, 1e-4);
    EXPECT_NEAR(back.optics_groups[g].pixel_size, 1.5, 1e-6);
    EXPECT_EQ(back.optics_groups[g].box, 8);
    for (int k = 0; k < 4; ++k)
      EXPECT_NEAR(back.optics_groups[g].magnification[k], set.optics_groups[g].magnification[k], 1e-7);
  }
  for (std::size_t i = 0; i < kParticles; ++i) {
    const auto &p = set.particles[i], &q = back.particles[i];
    for (int k = 0; k < 9; ++k) EXPECT_NEAR(p.rotation[k], q.rotation[k], 2e-6) << i;
    for (int k = 0; k < 2; ++k) EXPECT_NEAR(p.shift[k], q.shift[k], 1e-4);
    EXPECT_EQ(p.slice, q.slice);
    EXPECT_EQ(p.half, q.half);
    EXPECT_EQ(p.optics_group, q.optics_group);
    EXPECT_NEAR(p.ctf.defocus_u, q.ctf.defocus_u, 0.01);
    EXPECT_NEAR(p.ctf.defocus_angle, q.ctf.defocus_angle, 1e-5);
    EXPECT_NEAR(p.ctf.phase_shift, q.ctf.phase_shift, 1e-5);
    EXPECT_NEAR(p.ctf.scale, q.ctf.scale, 1e-5);
    EXPECT_NEAR(p.ctf.b_factor, q.ctf.b_factor, 1e-3);
  }
  // RELION takes an .mrc for a stack only if it is told.
  const auto tables = io::read_star_tables(folder / "out.star");
  EXPECT_EQ(tables[1].rows[0][0], "000001@J1/p.mrc:mrcs");
  EXPECT_EQ(tables[1].table.columns.back(), "rlnHeterogeneityLatent1");
}

TEST(ExportCs, KeepsUidAndEveryFieldOfTheChosen) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrcs", 8, 4, 1.5);
  CsBuilder cs(4);
  cs.integers("uid", {71, 72, 73, 74}, "u8")
      .images("p.mrcs", 8, 1.5f)
      .ctf()
      .floats("alignments3D/pose", {{0, 0, 0}})
      .floats("other/field", {{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  cs.write(folder / "p.cs");
  const auto set = read_particles(folder / "p.cs", {});
  const std::vector<std::size_t> wanted{1, 3};
  write_particles_cs(folder / "out.cs", chosen_of(set, wanted));
  const auto before = io::read_npy(folder / "p.cs"), after = io::read_npy(folder / "out.cs");
  ASSERT_EQ(after.rows(), 2u);
  ASSERT_EQ(after.fields.size(), before.fields.size());
  EXPECT_EQ(after.unsigned_integer(*after.find("uid"), 0), 72u);
  EXPECT_EQ(after.number(*after.find("other/field"), 1, 1), 8);
  EXPECT_EQ(read_particles(folder / "out.cs", {}).size(), 2u);

  write_particles_star(folder / "p.star", set, {});
  const auto star = read_particles(folder / "p.star", {});
  EXPECT_NE(error_of([&] { write_particles_cs(folder / "no.cs", star); }).find("no cryoSPARC file"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "no.cs"));
}

TEST(ExportStar, HalfSetsAreNotInvented) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrcs", 8, 2, 1.5);
  CsBuilder cs(2);
  cs.images("p.mrcs", 8, 1.5f).ctf().floats("alignments3D/pose", {{0, 0, 0}});
  cs.write(folder / "p.cs");
  write_particles_star(folder / "out.star", read_particles(folder / "p.cs", {}), {});
  const auto tables = io::read_star_tables(folder / "out.star");
  EXPECT_EQ(tables[1].table.column("rlnRandomSubset"), -1);
  EXPECT_EQ(tables[1].rows[0][0], "000001@p.mrcs");
}

TEST(ExportStar, RealSamplesRoundTrip) {
  const auto folder = test_folder();
  int samples = 0;
  for (const char* name :
       {"relion31.star", "relion31.6opticsgroups.star", "cryosparc_P12_J24_001_particles.cs"}) {
    const auto path = sample(name);
    if (!path) continue;
    ++samples;
    ReadOptions options;
    options.images_required = false;
    const auto set = read_particles(*path, options);
    write_particles_star(folder / "out.star", set, kExtra);
    const auto back = read_particles(folder / "out.star", options);
    ASSERT_EQ(back.size(), set.size()) << name;
    EXPECT_EQ(back.optics_groups.size(), set.optics_groups.size());
    for (std::size_t i = 0; i < set.size(); ++i) {
      EXPECT_EQ(image_name(back, i), image_name(set, i));
      for (int k = 0; k < 9; ++k)
        EXPECT_NEAR(back.particles[i].rotation[k], set.particles[i].rotation[k], 2e-6);
    }
  }
  if (samples == 0) GTEST_SKIP() << "no shared/data";
}
