// SPDX-License-Identifier: Apache-2.0
//
// DatagramSocket: the only class that receives and sends through a UDP file descriptor. It does so
// in batches, keeps the local address that each datagram came to, and replies from there.
//
// QDtls and QDtlsClientVerifier write to a QUdpSocket. output() gives them one without a
// descriptor: each write becomes one datagram in this socket's queue. Tests override receiveBatch()
// and sendBatch(), and run the whole server without a network.
#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"
#include "core/SocketAddress.h"
#include "net/MessageSlots.h"
#include "net/ReceiveBuffer.h"

#include <QByteArray>
#include <QObject>
#include <QSocketNotifier>
#include <QUdpSocket>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dtlsd {

struct OutgoingDatagram
{
    Path path;
    QByteArray bytes;
};

class DatagramSocket : public QObject
{
    Q_OBJECT

public:
    enum class Sharing {
        First,  ///< the port must be free; siblings may join later
        Sibling ///< joins a socket of this process on the same address (SO_REUSEPORT)
    };

    struct Options
    {
        Sharing sharing = Sharing::First;
        int receiveBuffer = 0; ///< bytes, SO_RCVBUF; 0 = the system's default
        bool isPaused = false; ///< receives nothing before resume()
    };

    /// Binds to @p address, and receives unless paused; port 0 lets the kernel pick. The error
    /// names the address and the reason.
    static Result<std::unique_ptr<DatagramSocket>> bind(const SocketAddress &address,
                                                        const Options &options);

    /// bind() without an object, for a socket that another thread will adopt(). Ignores isPaused.
    static Result<Descriptor> open(const SocketAddress &address, const Options &options);
    /// Takes a UDP socket over IPv4, IPv6 or both that is already bound, with its receive buffer;
    /// paused. Others may share its open file description, so it may be blocking.
    static std::unique_ptr<DatagramSocket> adopt(Descriptor descriptor);
    /// The address that @p descriptor is bound to.
    static SocketAddress addressOf(int descriptor);
    /// Asks for a buffer of @p bytes (SO_RCVBUF); 0: as it is.
    static void growReceiveBuffer(int descriptor, int bytes);
    /// The size granted by the kernel, in bytes of payload and overhead; 0 if unknown.
    static int receiveBufferOf(int descriptor);

    ~DatagramSocket() override;

    /// A duplicate of its descriptor, the same at each call, for a socket of another thread;
    /// nullptr: there is no room for one.
    [[nodiscard]] std::shared_ptr<const Descriptor> duplicate();
    /// A socket that only sends, on another duplicate of @p duplicate; nullptr as above.
    static std::unique_ptr<DatagramSocket> sender(const Descriptor &duplicate);

    /// The address it is bound to, with the port that the kernel picked.
    [[nodiscard]] const SocketAddress &localAddress() const { return m_local; }
    /// Whether datagrams for @p local come to it, or to a sibling.
    [[nodiscard]] bool receivesAt(const SocketAddress &local) const;
    /// Names it among the sockets that share its address, among which the kernel chooses; changes
    /// when there are others. 0: unknown.
    [[nodiscard]] std::uint64_t group() const { return m_group; }
    void setGroup(std::uint64_t group) { m_group = group; }
    [[nodiscard]] int receiveBufferSize() const { return receiveBufferOf(m_descriptor.number()); }

    void resume() { m_notifier->setEnabled(true); }
    /// Stops receiving.
    void pause()
    {
        if (m_notifier) // tests have sockets without a descriptor
            m_notifier->setEnabled(false);
    }
    /// Whether it receives: it is not paused, and its descriptor is a socket.
    [[nodiscard]] bool isReceiving() const
    {
        return m_notifier->isEnabled() && receiveBufferSize() > 0;
    }

    /// How many datagrams the kernel has dropped since the last call, because the buffer was full.
    [[nodiscard]] std::uint64_t takeOverflow();

    /// Fills @p buffer with as many waiting datagrams as fit. false: none was waiting.
    bool receive(ReceiveBuffer &buffer);

    /// How much may be sent along a path. What is more is dropped.
    struct Allowance
    {
        qsizetype bytes = 0;
        std::uint64_t dropped = 0; ///< datagrams
    };

    /// For QDtls: its writes go along @p path until output() is called again, within @p allowance,
    /// which must live until the last of them; nullptr: without limit.
    [[nodiscard]] QUdpSocket *output(const Path &path, Allowance *allowance = nullptr);
    /// The last datagram written since output() was called; empty if none.
    [[nodiscard]] QByteArrayView lastOutput() const;

    /// Sends the queue. As usual with UDP, datagrams that the kernel does not take are lost.
    void flush();

Q_SIGNALS:
    /// Level-triggered: emitted again until everything has been received.
    void readyRead();

protected:
    /// For tests: a socket without a descriptor.
    explicit DatagramSocket(const SocketAddress &local);

    virtual void receiveBatch(ReceiveBuffer &buffer);
    virtual void sendBatch(std::span<const OutgoingDatagram> batch);

private:
    class Output;

    DatagramSocket(Descriptor descriptor, const SocketAddress &local, int family);
    void enqueue(QByteArrayView datagram);

    Descriptor m_descriptor;
    std::shared_ptr<const Descriptor> m_duplicate; // once it was asked for
    int m_family = 0;
    bool m_takesIPv4 = false; // as well, if it is bound to [::]
    std::uint32_t m_overflow = 0;
    SocketAddress m_local;
    std::uint64_t m_group = 0;
    std::unique_ptr<QSocketNotifier> m_notifier;
    std::unique_ptr<Output> m_output;
    Path m_path;
    Allowance *m_allowance = nullptr; // of m_path
    bool m_hasLastOutput = false;
    std::vector<OutgoingDatagram> m_queue; // of fixed length, so that memory is reused
    std::size_t m_queued = 0;              // entries in use
    MessageSlots m_messages;               // for sendBatch()
};

} // namespace dtlsd
