// SPDX-License-Identifier: Apache-2.0
//
// Pipe: both ends of a pipe.
#pragma once

#include <QByteArray>

#include <array>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace dtlsd::test {

class Pipe
{
public:
    Pipe() { [[maybe_unused]] const int result = pipe2(m_fds.data(), O_CLOEXEC); }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;
    ~Pipe()
    {
        closeReader();
        closeWriter();
    }
    [[nodiscard]] int reader() const { return m_fds[0]; }
    [[nodiscard]] int writer() const { return m_fds[1]; }
    void closeReader() { ::close(std::exchange(m_fds[0], -1)); }
    void closeWriter() { ::close(std::exchange(m_fds[1], -1)); }

    /// Reads to the end; in another thread than the writer's.
    [[nodiscard]] QByteArray readAll() const
    {
        QByteArray result;
        std::array<char, 1000> part{};
        for (ssize_t size = 0; (size = ::read(reader(), part.data(), part.size())) > 0;)
            result.append(part.data(), size);
        return result;
    }

private:
    std::array<int, 2> m_fds{-1, -1};
};

} // namespace dtlsd::test
