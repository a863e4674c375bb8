// SPDX-License-Identifier: Apache-2.0
//
// A LineClient that speaks DTLS with Mbed TLS. Suites as Mbed TLS spells them, such as
// TLS-PSK-WITH-AES-128-CCM-8.
#include "support/clients/LineClient.h"

#include <array>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>
#include <mbedtls/version.h>

using namespace dtlsd::test;

namespace {

class MbedTlsClient : public LineClient
{
public:
    MbedTlsClient();
    ~MbedTlsClient() override;

protected:
    [[nodiscard]] std::string version() const override;
    bool prepare(const Credentials &credentials, const std::string &suite) override;
    bool shakeHands(int socket) override;
    [[nodiscard]] std::string suite() const override;
    bool send(std::string_view plaintext) override;
    std::optional<std::string> receive() override;
    [[nodiscard]] bool isOver() const override { return m_over; }
    void sayGoodbye() override { mbedtls_ssl_close_notify(&m_ssl); }
    [[nodiscard]] std::string error() const override;

private:
    mbedtls_entropy_context m_entropy{};
    mbedtls_ctr_drbg_context m_random{};
    mbedtls_ssl_config m_config{};
    mbedtls_ssl_context m_ssl{};
    mbedtls_timing_delay_context m_timer{};
    mbedtls_net_context m_net{};
    std::array<int, 2> m_suites{}; // ended by 0
    std::optional<std::string> m_connectionId;
    int m_error = 0;
    bool m_over = false;
};

MbedTlsClient::MbedTlsClient()
{
    mbedtls_entropy_init(&m_entropy);
    mbedtls_ctr_drbg_init(&m_random);
    mbedtls_ssl_config_init(&m_config);
    mbedtls_ssl_init(&m_ssl);
    mbedtls_net_init(&m_net);
}

MbedTlsClient::~MbedTlsClient()
{
    mbedtls_ssl_free(&m_ssl);
    mbedtls_ssl_config_free(&m_config);
    mbedtls_ctr_drbg_free(&m_random);
    mbedtls_entropy_free(&m_entropy);
}

std::string MbedTlsClient::version() const
{
    std::array<char, 32> text{};
    mbedtls_version_get_string_full(text.data());
    return text.data();
}

bool MbedTlsClient::prepare(const Credentials &credentials, const std::string &suite)
{
    mbedtls_ctr_drbg_seed(&m_random, mbedtls_entropy_func, &m_entropy, nullptr, 0);
    mbedtls_ssl_config_defaults(&m_config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(&m_config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(&m_config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); // DTLS 1.2
#endif
    mbedtls_ssl_conf_rng(&m_config, mbedtls_ctr_drbg_random, &m_random);
    // Retransmits after 1, 2 and 4 s, and then gives up.
    mbedtls_ssl_conf_handshake_timeout(&m_config, 1000, 4000);
    // For a datagram without data.
    mbedtls_ssl_conf_read_timeout(&m_config, 1);
    if (!suite.empty()) {
        m_suites[0] = mbedtls_ssl_get_ciphersuite_id(suite.c_str());
        if (m_suites[0] == 0)
            return false;
        mbedtls_ssl_conf_ciphersuites(&m_config, m_suites.data());
    }
    const auto bytes = [](const std::string &text) {
        return reinterpret_cast<const unsigned char *>(text.data());
    };
#ifdef DTLSD_MBEDTLS_HAS_IDS
    m_connectionId = credentials.connectionId;
    // Of the server's; those of other sizes it ignores.
    m_error = mbedtls_ssl_conf_cid(&m_config, m_connectionId ? m_connectionId->size() : 0,
                                   MBEDTLS_SSL_UNEXPECTED_CID_IGNORE);
#endif
    m_error = mbedtls_ssl_conf_psk(&m_config, bytes(credentials.key), credentials.key.size(),
                                   bytes(credentials.identity), credentials.identity.size());
    return m_error == 0;
}

bool MbedTlsClient::shakeHands(int socket)
{
    m_net.fd = socket;
    m_error = mbedtls_ssl_setup(&m_ssl, &m_config);
    mbedtls_ssl_set_bio(&m_ssl, &m_net, mbedtls_net_send, nullptr, mbedtls_net_recv_timeout);
    mbedtls_ssl_set_timer_cb(&m_ssl, &m_timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
#ifdef DTLSD_MBEDTLS_HAS_IDS
    if (m_connectionId)
        m_error =
            mbedtls_ssl_set_cid(&m_ssl, MBEDTLS_SSL_CID_ENABLED,
                                reinterpret_cast<const unsigned char *>(m_connectionId->data()),
                                m_connectionId->size());
#endif
    while (m_error == 0 || m_error == MBEDTLS_ERR_SSL_WANT_READ) { // after a retransmission
        m_error = mbedtls_ssl_handshake(&m_ssl);
        if (m_error == 0)
            return true;
    }
    return false;
}

std::string MbedTlsClient::suite() const
{
    return mbedtls_ssl_get_ciphersuite(&m_ssl);
}

bool MbedTlsClient::send(std::string_view plaintext)
{
    m_error = mbedtls_ssl_write(&m_ssl, reinterpret_cast<const unsigned char *>(plaintext.data()),
                                plaintext.size());
    return m_error > 0;
}

std::optional<std::string> MbedTlsClient::receive()
{
    std::array<unsigned char, 16384> buffer{};
    const int size = mbedtls_ssl_read(&m_ssl, buffer.data(), buffer.size());
    if (size > 0)
        return std::string(buffer.begin(), buffer.begin() + size);
    m_over = size != MBEDTLS_ERR_SSL_TIMEOUT && size != MBEDTLS_ERR_SSL_WANT_READ;
    return std::nullopt;
}

std::string MbedTlsClient::error() const
{
    std::array<char, 200> text{};
    mbedtls_strerror(m_error, text.data(), text.size());
    return text.data();
}

} // namespace

int main(int argc, char **argv)
{
    return MbedTlsClient().run(argc, argv);
}
