#include "cryoscape/util/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "cryoscape/util/error.hpp"

namespace cryoscape::log {

void initialise(Level level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("cryoscape", sink);
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::debug);
  sink->set_level(level == Level::quiet     ? spdlog::level::warn
                  : level == Level::verbose ? spdlog::level::debug
                                            : spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void copy_to_file(const std::filesystem::path& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), false);
    sink->set_pattern("%Y-%m-%d %H:%M:%S %v");
    sink->set_level(spdlog::level::info);
    spdlog::default_logger()->sinks().push_back(sink);
    spdlog::default_logger()->flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& e) {
    fail("cannot write the log {}: {}", file.string(), e.what());
  }
}

}  // namespace cryoscape::log
