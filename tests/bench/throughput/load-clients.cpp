// SPDX-License-Identifier: Apache-2.0
//
// Usage: load-clients ADDRESS:PORT SESSIONS WINDOW MESSAGES BYTES
// Opens the sessions, says `ready`, waits for a line, has each message acknowledged, says what it
// saw as a JSON object, and waits for the end of its input, so that what it used can be read.
#include "bench/throughput/Load.h"
#include "bench/throughput/LoadFleet.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

using namespace dtlsd::bench;

namespace {

int complain(const char *what)
{
    std::cerr << "load-clients: " << what << std::endl;
    return EXIT_FAILURE;
}

double microseconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double, std::micro>(time).count();
}

void report(std::chrono::nanoseconds took, const std::vector<std::chrono::nanoseconds> &latencies)
{
    const auto percentile = [&](double share) {
        const auto last = static_cast<double>(latencies.size() - 1);
        return microseconds(latencies[static_cast<std::size_t>(share * last)]);
    };
    std::printf(R"({"seconds": %.6f, "latency": {"p50": %.1f, "p90": %.1f, "p99": %.1f, )"
                R"("p99.9": %.1f, "max": %.1f}})"
                "\n",
                microseconds(took) / 1e6, percentile(0.5), percentile(0.9), percentile(0.99),
                percentile(0.999), percentile(1));
    static_cast<void>(std::fflush(stdout));
}

} // namespace

int main(int argc, char **argv)
{
    const auto server = dtlsd::SocketAddress::parse(QString::fromUtf8(argc == 6 ? argv[1] : ""));
    if (!server)
        return complain("usage: load-clients ADDRESS:PORT SESSIONS WINDOW MESSAGES BYTES");
    const auto number = [argv](int i) { return std::strtoul(argv[i], nullptr, 10); };
    const std::size_t messages = number(4);
    LoadFleet fleet({*server, static_cast<int>(number(2)), number(3), number(5)});
    if (!fleet.open())
        return complain("a session did not open");

    std::cout << "ready" << std::endl;
    std::string line;
    std::getline(std::cin, line);
    const auto begin = LoadFleet::Clock::now();
    if (!fleet.run(messages))
        return complain("a receipt did not come");
    report(LoadFleet::Clock::now() - begin, fleet.latencies());
    std::getline(std::cin, line);
    return EXIT_SUCCESS;
}
