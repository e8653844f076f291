#include "cryoscape/simulation/truth.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;
namespace fs = std::filesystem;

TEST(TruthFile, RoundTripAndErrors) {
  const auto path = fs::path(testing::TempDir()) / "truth_test.star";
  Truth t;
  t.image_name = {"000001@p.mrcs", "000002@p.mrcs"};
  t.model = {3.25, 0}, t.state = {2, 0}, t.junk = {false, true}, t.bound = {0.04, std::nan("")};
  t.wrong_molecule = {false, true};
  write_truth(path, t);
  const auto r = read_truth(path);
  EXPECT_EQ(r.image_name, t.image_name);
  EXPECT_EQ(r.model, t.model);
  EXPECT_EQ(r.state, t.state);
  EXPECT_EQ(r.junk, t.junk);
  EXPECT_EQ(r.wrong_molecule, t.wrong_molecule);
  EXPECT_EQ(r.bound[0], 0.04);
  EXPECT_TRUE(std::isnan(r.bound[1]));

  replace_text_file(path,
                    "data_truth\nloop_\n_rlnImageName\n_cryoscapeTruthModel\n_cryoscapeTruthState\n_"
                    "cryoscapeTruthJunk\n_cryoscapeTruthBound\na 0 0 1 nan\n");
  EXPECT_EQ(read_truth(path).wrong_molecule, std::vector<bool>{false});  // it was not always written

  const auto message = [&](const std::string& text) {
    replace_text_file(path, text);
    try {
      read_truth(path);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message("data_particles\nloop_\n_rlnImageName\na\n").find("data_truth"), std::string::npos);
  EXPECT_NE(message("data_truth\nloop_\n_rlnImageName\na\n").find("_cryoscapeTruthModel"), std::string::npos);
  EXPECT_NE(message("data_truth\nloop_\n_rlnImageName\n_cryoscapeTruthModel\n_cryoscapeTruthState\n_"
                    "cryoscapeTruthJunk\n_cryoscapeTruthBound\n"
                    "a 1 x 0 0.1\n")
                .find("'x'"),
            std::string::npos);
}
