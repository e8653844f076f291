#include "cryoscape/landscape/selection_export.hpp"

#include <gtest/gtest.h>

#include "cryoscape/io/star.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

ExportRequest to(const fs::path& out) {
  ExportRequest request;
  request.out = out;
  return request;
}

TEST(ExportParticles, WritesAStateARegionAndOutliers) {
  auto run = open_test_run();
  write_landscape(run, {});
  const auto folder = run.folder.path();
  auto state = to(folder / "state.star");
  state.state = 2;
  const auto count = export_particles(folder, state);
  EXPECT_EQ(count.of, static_cast<std::size_t>(kTestParticles));
  const auto data = io::read_star_tables(state.out).back();
  ASSERT_EQ(data.rows.size(), count.written);
  const auto image = static_cast<std::size_t>(data.table.column("rlnImageName")),
             number = static_cast<std::size_t>(data.table.column("rlnClassNumber"));
  ASSERT_GE(data.table.column("cryoscapeOutlierScore"), 0);
  std::size_t row = 0;
  for (std::size_t i = 0; i < run.data.particles.size(); ++i)
    if (in_minor(i) && i != kUnusable) {
      ASSERT_LT(row, data.rows.size());
      EXPECT_EQ(data.rows[row][image], particles::image_name(run.data.particles, i));
      EXPECT_EQ(data.rows[row++][number], "2");
    }
  EXPECT_EQ(row, data.rows.size());

  auto region = to(folder / "region.star");
  region.region = "z1 > 0";  // the smaller cluster again
  EXPECT_EQ(export_particles(folder, region).written, count.written);

  auto outliers = to(folder / "outliers.star");
  outliers.outliers = 10;
  EXPECT_EQ(export_particles(folder, outliers).written, 15u);
}

TEST(ExportParticles, SaysWhatIsWrong) {
  auto run = open_test_run();
  const auto folder = run.folder.path();
  const auto message = [&](const ExportRequest& request) {
    return error_of([&] { export_particles(folder, request); });
  };
  auto request = to(folder / "out.star");
  EXPECT_NE(message(request).find("give one of --state, --region and --outliers"), std::string::npos);
  request.state = 1;
  EXPECT_NE(message(request).find("run cryoscape landscape"), std::string::npos);
  write_landscape(run, {});
  request.state = 9;
  EXPECT_NE(message(request).find("there is no state 9: the landscape has states 1 to 2"), std::string::npos);
  request.state.reset(), request.region = "U < -1";
  EXPECT_NE(message(request).find("no particle is chosen"), std::string::npos);
  request.region = "q < 1";
  EXPECT_NE(message(request).find("there is no 'q'; particles have state, U"), std::string::npos);
  request.region = "U > -1", request.out = folder / "out.cs";
  EXPECT_NE(message(request).find("no cryoSPARC file"), std::string::npos);
  request.out = folder / "out.txt";
  EXPECT_NE(message(request).find("must end with .star or .cs"), std::string::npos);
  request.out = folder / "states.json";
  EXPECT_NE(message(request).find("must end with"), std::string::npos);
  request.out = folder / "particles.star";
  EXPECT_NE(message(request).find("overwrite it with --force"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
