#include "cryoscape/io/atomic_model.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;
using namespace cryoscape::io;
namespace fs = std::filesystem;

namespace {

fs::path temporary(const std::string& name) {
  return fs::path(testing::TempDir()) / ("atomic_model_test_" + name);
}

const char* const kPdb =
    "ATOM      1  N   HSD A  10      11.000  12.000  13.000  1.00 20.00           N\n"
    "ATOM      2  CA AHSD A  10      12.000  12.000  13.000  0.40 20.00           C\n"
    "ATOM      3  CA BHSD A  10      12.500  12.000  13.000  0.60 20.00           C\n"
    "ATOM      4  HA  HSD A  10      12.000  13.000  13.000  1.00 20.00           H\n"
    "ATOM      5  CA  GLY A  10A     15.000  12.000  13.000  1.00 21.00           C\n"
    "ATOM      6  P     A B   1      20.000   0.000   0.000  1.00 30.00           P\n"
    "ATOM      7  O5'   A B   1      21.000   0.000   0.000  1.00 30.00           O\n"
    "ATOM      8  C4'   A B   1      22.000   0.000   0.000  1.00 30.00           C\n"
    "ATOM      9  N9    A B   1      23.000   0.000   0.000  1.00 30.00           N\n"
    "HETATM   10 CA    CA C   1       0.000   0.000   0.000  1.00 30.00          CA\n"
    "HETATM   11  O   HOH C   2       5.000   5.000   5.000  1.00 30.00           O\n"
    "END\n";

void expect_same(const AtomicModel& a, const AtomicModel& b) {
  ASSERT_EQ(a.atoms.size(), b.atoms.size());
  for (std::size_t i = 0; i < a.atoms.size(); ++i) {
    EXPECT_EQ(a.atoms[i].name, b.atoms[i].name);
    EXPECT_EQ(a.atoms[i].residue_name, b.atoms[i].residue_name);
    EXPECT_EQ(a.atoms[i].chain, b.atoms[i].chain);
    EXPECT_EQ(a.atoms[i].residue_number, b.atoms[i].residue_number);
    EXPECT_EQ(a.atoms[i].insertion_code, b.atoms[i].insertion_code);
    EXPECT_EQ(a.atoms[i].element, b.atoms[i].element);
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(a.atoms[i].position[k], b.atoms[i].position[k], 1e-3);
  }
}

}  // namespace

TEST(ReadModels, ConformersInsertionCodesAndKinds) {
  const auto path = temporary("a.pdb");
  replace_text_file(path, kPdb);
  const auto atoms = read_models(path).at(0).atoms;
  ASSERT_EQ(atoms.size(), 10u);
  EXPECT_NEAR(atoms[1].position[0], 12.5, 1e-6);
  EXPECT_TRUE(atoms[2].hydrogen);
  EXPECT_EQ(atoms[3].insertion_code, 'A');
  EXPECT_EQ(atoms[0].polymer, Polymer::protein);
  EXPECT_EQ(atoms[5].polymer, Polymer::nucleic);
  EXPECT_EQ(atoms[8].polymer, Polymer::other);
  EXPECT_EQ(atoms[8].atomic_number, 20);
  EXPECT_TRUE(atoms[9].water);
}

TEST(ReadModels, ElementsOfSimulationFilesComeFromTheNames) {
  // CHARMM's columns: names start at column 13, and a segment's name instead of the element.
  const auto path = temporary("charmm.pdb");
  replace_text_file(path,
                    "ATOM      1 N    MET     1     -11.053  26.680  12.742  1.00 84.71      4AKE\n"
                    "ATOM      2 HT1  MET     1     -10.557  27.134  11.954  1.00  0.00      4AKE\n"
                    "ATOM      3 CA   MET     1     -10.097  25.954  13.632  1.00 76.22      4AKE\n"
                    "ATOM      4 HG1  MET     1     -10.547  26.033  16.994  1.00  0.00      4AKE\n"
                    "ATOM      5 SD   MET     1      -9.555  23.853  16.769  1.00 66.16      4AKE\n"
                    "ATOM      6 CE   MET     1     -11.146  23.543  17.595  1.00 65.65      4AKE\n"
                    "ATOM      7 C    MET     1      -9.484  24.769  12.896  1.00 71.67      4AKE\n"
                    "ATOM      8 OT1  MET     1     -10.210  23.949  12.352  1.00 63.59      4AKE\n"
                    "ATOM      9 CA   GLY     2      -7.477  23.806  11.838  1.00 67.43      4AKE\n"
                    "HETATM   10 CA    CA     3      10.000  25.000  13.000  1.00 20.00      IONS\n"
                    "END\n");
  const auto atoms = read_models(path).at(0).atoms;
  const std::vector<std::string> expected{"N", "H", "C", "H", "S", "C", "C", "O", "C", "CA"};
  ASSERT_EQ(atoms.size(), expected.size());
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    EXPECT_EQ(atoms[i].element, expected[i]) << atoms[i].name;
    EXPECT_EQ(atoms[i].hydrogen, expected[i] == "H");
    EXPECT_EQ(atoms[i].polymer, i < 9 ? Polymer::protein : Polymer::other);
  }
}

TEST(WriteModels, BothFormatsReadBack) {
  const auto path = temporary("a.pdb");
  replace_text_file(path, kPdb);
  const auto model = read_models(path).at(0);
  auto moved = positions_of(model);
  for (auto& x : moved) x += 1.5f;
  for (const std::string extension : {".cif", ".pdb"}) {
    const auto out = temporary("out" + extension);
    write_models(out, {&model, {positions_of(model), moved}, {}});
    const auto back = read_models(out);
    ASSERT_EQ(back.size(), 2u) << extension;
    expect_same(model, back[0]);
    EXPECT_NEAR(back[1].atoms[0].position[0], 12.5, 1e-3);
  }
}

TEST(ReadModels, Gzipped) {
  const auto path = temporary("a.pdb.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, kPdb);
  gzclose(file);
  EXPECT_EQ(read_models(path).at(0).atoms.size(), 10u);
}

TEST(ReadModels, ErrorsAreOneLine) {
  const auto expect_error = [](const fs::path& path, const std::string& part) {
    try {
      read_models(path);
      FAIL() << path;
    } catch (const Error& e) {
      const std::string message = e.what();
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_NE(message.find(path.string()), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  };
  const auto written = [](const std::string& name, const std::string& text) {
    replace_text_file(temporary(name), text);
    return temporary(name);
  };
  expect_error("/nonexistent.pdb", "no such file");
  expect_error(testing::TempDir(), "is a folder");
  expect_error(written("empty.pdb", "REMARK nothing\nEND\n"), "has no atoms");
  expect_error(written("empty.cif", ""), "has no atoms");
  expect_error(written("none.cif", "data_x\n_cell.length_a 10\n"), "has no atoms");
  expect_error(written("text.cif", "hello\n"), "cannot read");
  expect_error(written("short.pdb", "ATOM      1  CA  GLY A   1       0.0\n"), "line 1");
  expect_error(written("model.txt", kPdb), "must end in .pdb");
}

TEST(ReadModels, OneResidueOfAPointMutationIsKept) {
  const auto path = temporary("mutation.pdb");
  replace_text_file(path,
                    "ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00 20.00           C\n"
                    "ATOM      2  CA ASER A   2       3.800   0.000   0.000  0.30 20.00           C\n"
                    "ATOM      3  CA BTHR A   2       3.900   0.000   0.000  0.70 20.00           C\n"
                    "ATOM      4  CA AVAL A   3       7.600   0.000   0.000  0.50 20.00           C\n"
                    "ATOM      5  CA BILE A   3       7.700   0.000   0.000  0.50 20.00           C\n"
                    "END\n");
  const auto atoms = read_models(path).at(0).atoms;
  ASSERT_EQ(atoms.size(), 3u);
  EXPECT_EQ(atoms[1].residue_name, "THR");
  EXPECT_EQ(atoms[2].residue_name, "VAL");
}

TEST(WriteModels, PdbKeepsItsColumnsForLongNamesAndNumbers) {
  AtomicModel model;
  for (const auto& [chain, number] :
       std::vector<std::pair<std::string, int>>{{"A", 9999}, {"A", 10000}, {"AA", 1}, {"BB", 1}, {"B", 1}}) {
    AtomRecord a;
    a.name = "CA", a.residue_name = "ALA", a.element = "C", a.chain = chain, a.residue_number = number;
    a.position = {-123.456f, 1.0f, 999.0f};
    model.atoms.push_back(a);
  }
  const auto path = temporary("long.pdb");
  write_models(path, {&model, {positions_of(model)}, {{1.5f, 2, 3, 4, 123456}}});
  const auto atoms = read_models(path).at(0).atoms;
  ASSERT_EQ(atoms.size(), 5u);
  std::set<std::string> chains;
  for (const auto& a : atoms) {
    chains.insert(a.chain);
    EXPECT_EQ(a.chain.size(), 1u);
    EXPECT_NEAR(a.position[0], -123.456, 1e-3);
    EXPECT_NEAR(a.position[2], 999, 1e-3);
  }
  EXPECT_EQ(chains.size(), 4u);
  EXPECT_NEAR(atoms[0].b_factor, 1.5, 1e-3);
  EXPECT_TRUE(chains.contains("A") && chains.contains("B"));
}

TEST(ReadModels, EveryModelOfALongSeries) {
  AtomicModel model;
  for (int n = 0; n < 50; ++n) {
    AtomRecord a;
    a.name = "CA", a.residue_name = "ALA", a.element = "C", a.residue_number = n + 1;
    model.atoms.push_back(a);
  }
  ModelSeries series{&model, {}, {}};
  for (int m = 0; m < 120; ++m) series.positions.emplace_back(150, static_cast<float>(m));
  for (const std::string extension : {".cif", ".pdb"}) {
    const auto path = temporary("series" + extension);
    write_models(path, series);
    const auto back = read_models(path);
    ASSERT_EQ(back.size(), 120u) << extension;
    for (int m = 0; m < 120; ++m) EXPECT_EQ(back[m].atoms.at(49).position[0], static_cast<float>(m));
  }
}
