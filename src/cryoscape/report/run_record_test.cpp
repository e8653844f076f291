#include "cryoscape/report/run_record.hpp"

#include "cryoscape/report/run_arrays.hpp"
#include "cryoscape/report/test_run.hpp"

using namespace cryoscape;
using namespace cryoscape::report;

TEST(RunRecord, OptionsKeepTheFilesOrderAndHelp) {
  const TestRun run("record_options");
  const auto record = read_run_record(run.folder);
  ASSERT_EQ(record.options.size(), 5u);
  EXPECT_EQ(record.options[0].name, "prior");
  EXPECT_EQ(record.options[0].help, "energy of the latents");
  EXPECT_EQ(record.options[2].help, "");
  EXPECT_EQ(record.option("latent-dim"), "2");
  EXPECT_EQ(record.run_value("pixel-size"), "1.5");
  EXPECT_EQ(record.option("absent"), "");
  EXPECT_FALSE(record.training.found);
  EXPECT_FALSE(record.states);
}

TEST(RunRecord, EpochsAreMeansOfTheirSteps) {
  const TestRun run("record_epochs");
  run.write_training();
  const auto training = read_run_record(run.folder).training;
  ASSERT_EQ(training.epochs.size(), 2u);
  EXPECT_EQ(training.epochs[0].bound, -105);
  EXPECT_EQ(training.epochs[1].bound, -75);
  EXPECT_EQ(training.epochs[1].kl, 72);
  EXPECT_EQ(training.epochs[1].held_out_bound, -75.5);
  EXPECT_EQ(training.partition.upper, 3.75);
  EXPECT_EQ(training.steps, 100);
  EXPECT_TRUE(training.damaged_lines.empty());
}

TEST(RunRecord, DamagedLinesAreLeftOutAndNoted) {
  const TestRun run("record_damaged");
  run.write("train.jsonl",
            "{\"step\":1,\"bound\":1}\n{\"step\":2,\"bo\n17\n{\"step\":3,\"epoch\":1,\"bound\":null,"
            "\"prior\":{}}\n");
  const auto training = read_run_record(run.folder).training;
  EXPECT_EQ(training.damaged_lines, (std::vector<std::size_t>{2, 3}));
  ASSERT_EQ(training.epochs.size(), 1u);
  EXPECT_EQ(training.epochs[0].bound, 1);
  EXPECT_TRUE(std::isnan(training.epochs[0].held_out_bound));
  EXPECT_TRUE(std::isnan(training.partition.value));
}

TEST(RunRecord, WarningsOnceWithOrWithoutTime) {
  const TestRun run("record_warnings");
  run.write("log.txt",
            "2026-01-02 03:04:05 warning: a\nwarning: b\n2026-01-02 03:04:06 warning: a\n2026-01-02 03:04:06 "
            "no warning: c\n");
  EXPECT_EQ(read_run_record(run.folder).warnings, (std::vector<std::string>{"a", "b"}));
}

TEST(RunRecord, ErrorsNameTheFile) {
  const TestRun run("record_errors");
  const auto message = [&] { return error_of([&] { read_run_record(run.folder); }); };
  run.write("states.json", "{\"states\": [{\"population\": 1}]}");
  EXPECT_NE(message().find("states.json: state 1 has no id"), std::string::npos) << message();
  run.write("states.json", "[");
  EXPECT_NE(message().find("states.json is damaged"), std::string::npos) << message();
  run.write("states.json", "{}");
  EXPECT_NE(message().find("states.json has no list"), std::string::npos) << message();
  run.write("config.toml", "a = 1\nb = = 2\n");
  EXPECT_NE(message().find("config.toml:2: "), std::string::npos) << message();
  std::filesystem::remove(run.folder / "config.toml");
  EXPECT_NE(message().find("is not a run: it has no config.toml"), std::string::npos) << message();
}

TEST(RunArrays, SpreadAndWidthOfLatents) {
  const TestRun run("arrays");
  run.write_arrays(1000);
  const auto arrays = read_run_arrays(run.folder);
  EXPECT_EQ(arrays.particles, 1000u);
  EXPECT_EQ(arrays.unusable, 100u);
  EXPECT_EQ(arrays.width, (std::vector<double>{0.5, 0.5}));
  // 500 at −1 and 400 at +1.
  EXPECT_NEAR(arrays.spread[0], std::sqrt(1 - 1.0 / 81), 1e-6);
  EXPECT_EQ(arrays.states[3], 2);
  EXPECT_EQ(arrays.states[9], 0);
  EXPECT_TRUE(std::isnan(arrays.components[1][9]));
}

TEST(RunArrays, RowsMustAgree) {
  const TestRun run("arrays_rows");
  run.write_arrays(20);
  io::write_npy(run.folder / "assignments.npy", {2, 1}, std::vector<float>{1, 2});
  const auto message = error_of([&] { read_run_arrays(run.folder); });
  EXPECT_NE(message.find("assignments.npy has 2 rows, but other files of the run have 20"), std::string::npos)
      << message;
  run.write("components.npy", "no array");
  EXPECT_NE(error_of([&] { read_run_arrays(run.folder); }).find("components.npy"), std::string::npos);
}
