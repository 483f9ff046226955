using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Tests.Telemetry.AccessLogs;

namespace Mesh.DataPlane.Tests.Formatting;

/// <summary>Every command that Envoy's page on its substitution formatter documents is honoured, or refused when a format is loaded.</summary>
public sealed class DocumentedCommandTests
{
    /// <summary>Everywhere, or when the request is over, or where there is a connection that came in.</summary>
    private static readonly string[] Honoured =
    [
        "START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL", "REQUEST_HEADERS_BYTES", "BYTES_RECEIVED", "BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED",
        "PROTOCOL", "UPSTREAM_PROTOCOL", "RESPONSE_CODE", "RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)", "CONNECTION_TERMINATION_DETAILS", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES",
        "BYTES_SENT", "UPSTREAM_REQUEST_ATTEMPT_COUNT", "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", "DURATION",
        "COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)", "REQUEST_DURATION", "REQUEST_TX_DURATION", "RESPONSE_DURATION", "ROUNDTRIP_DURATION", "RESPONSE_TX_DURATION",
        "DOWNSTREAM_HANDSHAKE_DURATION", "RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "ROUTE_NAME", "VIRTUAL_CLUSTER_NAME", "UPSTREAM_HOST", "UPSTREAM_HOST_NAME",
        "UPSTREAM_HOST_NAME_WITHOUT_PORT", "UPSTREAM_HOSTS_ATTEMPTED", "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_HOST_NAMES_ATTEMPTED",
        "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW", "UPSTREAM_LOCAL_ADDRESS", "UPSTREAM_REMOTE_ADDRESS",
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)", "UPSTREAM_REMOTE_PORT", "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", "UPSTREAM_TRANSPORT_FAILURE_REASON",
        "DOWNSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)", "DOWNSTREAM_REMOTE_PORT",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(16)", "DOWNSTREAM_DIRECT_REMOTE_PORT", "DOWNSTREAM_LOCAL_ADDRESS",
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(16)", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT(16)", "DOWNSTREAM_LOCAL_PORT",
        "DOWNSTREAM_DIRECT_LOCAL_PORT", "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID", "CONNECTION_ID", "STREAM_ID",
        "GRPC_STATUS(SNAKE_STRING)", "GRPC_STATUS_NUMBER", "REQUEST_HEADER(x?y):3", "REQ(x?y):3", "RESPONSE_HEADER(x?y):3", "RESP(x?y):3", "RESPONSE_TRAILER(x?y):3", "TRAILER(x?y):3",
        "DYNAMIC_METADATA(a:b):3", "CLUSTER_METADATA(a:b):3", "UPSTREAM_METADATA(a:b):3", "FILTER_STATE(a:FIELD:b):3", "UPSTREAM_FILTER_STATE(a:PLAIN):3",
        "REQUESTED_SERVER_NAME(SNI_FIRST:HOST)", "DOWNSTREAM_LOCAL_IP_SAN", "DOWNSTREAM_PEER_IP_SAN", "DOWNSTREAM_LOCAL_DNS_SAN", "DOWNSTREAM_PEER_DNS_SAN",
        "DOWNSTREAM_LOCAL_URI_SAN", "DOWNSTREAM_PEER_URI_SAN", "DOWNSTREAM_LOCAL_EMAIL_SAN", "DOWNSTREAM_PEER_EMAIL_SAN", "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
        "DOWNSTREAM_PEER_OTHERNAME_SAN", "DOWNSTREAM_LOCAL_SUBJECT", "DOWNSTREAM_PEER_SUBJECT", "DOWNSTREAM_PEER_ISSUER", "DOWNSTREAM_TLS_CIPHER", "DOWNSTREAM_TLS_VERSION",
        "DOWNSTREAM_PEER_FINGERPRINT_256", "DOWNSTREAM_PEER_FINGERPRINT_1", "DOWNSTREAM_PEER_SERIAL", "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", "DOWNSTREAM_PEER_CHAIN_SERIALS", "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", "DOWNSTREAM_PEER_ISSUER_SERIAL",
        "DOWNSTREAM_PEER_CERT", "DOWNSTREAM_PEER_CERT_V_START(%s)", "DOWNSTREAM_PEER_CERT_V_END(%s)", "HOSTNAME", "LOCAL_REPLY_BODY", "FILTER_CHAIN_NAME", "ACCESS_LOG_TYPE",
        "UNIQUE_ID", "TRACE_ID", "SPAN_ID", "QUERY_PARAM(a):3", "QUERY_PARAMS(DECODED):3", "PATH(NQ:ORIG):3", "CUSTOM_FLAGS",
        """COALESCE({"operators":["PROTOCOL"]}):3""", "METADATA(ROUTE:a:b):3", "CEL(response.code):3", "TYPED_CEL(response.code):3", "REQ_WITHOUT_QUERY(x?y):3",
    ];

    /// <summary>For connections that are carried as they are, and refused where requests are told of.</summary>
    private static readonly string[] OfConnections =
    [
        "UPSTREAM_WIRE_BYTES_SENT", "UPSTREAM_WIRE_BYTES_RECEIVED", "DOWNSTREAM_WIRE_BYTES_SENT", "DOWNSTREAM_WIRE_BYTES_RECEIVED", "UPSTREAM_CONNECTION_POOL_READY_DURATION",
        "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(16)", "UPSTREAM_LOCAL_PORT", "UPSTREAM_CONNECTION_ID", "UPSTREAM_PEER_SUBJECT", "UPSTREAM_PEER_ISSUER", "UPSTREAM_TLS_CIPHER",
        "UPSTREAM_TLS_VERSION", "UPSTREAM_SERVER_NAME", "UPSTREAM_PEER_CERT", "UPSTREAM_PEER_CERT_V_START(%s)", "UPSTREAM_PEER_CERT_V_END(%s)", "UPSTREAM_PEER_URI_SAN",
        "UPSTREAM_PEER_DNS_SAN", "UPSTREAM_PEER_IP_SAN", "UPSTREAM_LOCAL_URI_SAN", "UPSTREAM_LOCAL_DNS_SAN", "UPSTREAM_LOCAL_IP_SAN",
    ];

    private static readonly string[] Refused =
    [
        "UPSTREAM_HEADER_BYTES_SENT", "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "UPSTREAM_HEADER_BYTES_RECEIVED", "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
        "DOWNSTREAM_HEADER_BYTES_SENT", "DOWNSTREAM_HEADER_BYTES_RECEIVED", "UPSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_LOCAL_CLOSE_REASON", "DOWNSTREAM_LOCAL_CLOSE_REASON",
        "DOWNSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_CONNECTION_IDS_ATTEMPTED", "DOWNSTREAM_TLS_SESSION_ID", "DOWNSTREAM_TLS_GROUP", "UPSTREAM_TLS_SESSION_ID",
        "UPSTREAM_TLS_GROUP", "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT", "ENVIRONMENT(HOME):3", "FILE_CONTENT(/etc/passwd):3", "SECRET(x):3",
    ];

    public static TheoryData<string> AllHonoured => [.. Honoured];

    public static TheoryData<string> AllOfConnections => [.. OfConnections];

    public static TheoryData<string> AllRefused => [.. Refused];

    [Theory]
    [MemberData(nameof(AllHonoured))]
    public void A_command_is_honoured(string command)
    {
        var format = SubstitutionFormat.Parse($"%{command}%", omitEmptyValues: false);
        format.Render(FinishedRequest.Context()).ShouldNotBeNull();
        FormatCommands.FindOfConnectionsAlone(format.NotAlwaysKnown).ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(AllOfConnections))]
    public void A_command_is_honoured_for_connections_and_requests_have_none(string command)
    {
        var format = SubstitutionFormat.Parse($"%{command}%", omitEmptyValues: false);
        FormatCommands.FindOfConnectionsAlone(format.NotAlwaysKnown).ShouldBe(NameOf(command));
        format.Render(FinishedRequest.Context()).ShouldBe("-");
    }

    [Theory]
    [MemberData(nameof(AllRefused))]
    public void A_command_is_refused_with_its_place_and_the_reason(string command)
    {
        var refusal = Should.Throw<SubstitutionFormatException>(() => SubstitutionFormat.Parse($"a %{command}%", omitEmptyValues: false));
        refusal.Position.ShouldBe(2);
        refusal.Message.ShouldEndWith($"%{NameOf(command)}% is refused: {RefusedCommands.Reasons[NameOf(command)]}");
    }

    [Fact]
    public void There_are_no_others()
    {
        // But two that are not on that page: one that Envoy had once, for headers, and one that is the mesh's own.
        FormatCommands.All.Keys.Order(StringComparer.Ordinal).ShouldBe(Honoured.Concat(OfConnections).Select(NameOf).Concat(["PER_REQUEST_STATE", "VIRTUAL_HOST_NAME"]).Order(StringComparer.Ordinal));
        RefusedCommands.Reasons.Keys.Order(StringComparer.Ordinal).ShouldBe(Refused.Select(NameOf).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_that_people_read_names_each_where_it_belongs()
    {
        var page = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "access-logs.md"));
        foreach (var command in Honoured)
        {
            Row(command).ShouldNotContain("| refused", Case.Sensitive, command);
        }

        foreach (var command in OfConnections)
        {
            Row(command).ShouldContain("refused where requests are told of", Case.Sensitive, command);
        }

        foreach (var command in Refused)
        {
            Row(command).ShouldContain("| refused", Case.Sensitive, command);
        }

        string Row(string command) => page.Where(l => l.StartsWith('|') && l.Contains($"`{NameOf(command)}`", StringComparison.Ordinal)).ShouldHaveSingleItem(command);
    }

    private static string NameOf(string command) => command.Split('(', ':')[0];
}
