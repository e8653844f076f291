#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "cryoscape/inference/test_oracle.hpp"
#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/util/test_data.hpp"

namespace cryoscape::inference {
namespace {

/// With the exact model, prior-free maximum likelihood is at the Cramér–Rao bound: 1.05 of it at SNR 0.01,
/// where bounds of single images are a tenth of the path, nearer to 1 with less noise. 1.17/√400 = 0.06 is a
/// standard error of the median's ratio.
TEST(Oracle, MaximumLikelihoodIsAtTheBound) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no shared data";
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("quiet"));
  model::prepare_matrix_products();
  const auto folder = std::filesystem::path(testing::TempDir()) / "cryoscape_oracle";
  std::filesystem::remove_all(folder);
  auto oracle = make_oracle(*data, folder, "", 400, 0.05);
  const auto path = oracle_table(oracle, 41);
  EXPECT_NEAR(oracle_error_over_bound(oracle, path), 1.02, 0.18);
  // A uniform population: the fit through the noise stays flat.
  const auto fit = fit_population(population_table(path.table, path.node));
  EXPECT_LT(free_energy_rms(fit.density, std::vector<double>(fit.density.size(), 1.0)), 0.4);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace cryoscape::inference
