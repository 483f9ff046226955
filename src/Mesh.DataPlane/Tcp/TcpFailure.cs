using System.Net.Sockets;

namespace Mesh.DataPlane.Tcp;

/// <summary>What a caller sees when there is no connection: what the socket would have thrown, and why in words and by Envoy's response flag.</summary>
internal static class TcpFailure
{
    /// <summary>Where an exception carries the response flag: the name under which a request's options do.</summary>
    public static string FlagsKey => MeshRequest.ResponseFlags.Key;

    /// <summary>Whether an exception says that there was no connection, other than that one broke.</summary>
    public static bool IsNotMade(Exception e) => e.Data.Contains(FlagsKey);

    public static SocketException NoChain(TcpFacts facts, string listenerVersion)
        => Create(
            SocketError.ConnectionRefused,
            "NR",
            $"The mesh refuses the connection to {facts}: no filter chain of its listener (version {listenerVersion}) is for it"
            + (facts.Tls is { ServerName: var name } ? $", by the server name '{name}'" : "") + ".");

    public static SocketException NoCluster(TcpFacts facts, string cluster, string? error)
        => Create(SocketError.HostUnreachable, "NC", $"The mesh cannot connect to {facts}: the cluster {cluster} does not exist{(error is null ? "" : $" ({error})")}.");

    public static SocketException NoHealthyUpstream(TcpFacts facts, string cluster, string? error)
        => Create(SocketError.HostUnreachable, "UH", $"The mesh cannot connect to {facts}: the cluster {cluster} has no healthy upstream{(error is null ? "" : $" ({error})")}.");

    public static SocketException Unresolved(TcpFacts facts, string cluster, string flags, string reason)
        => Create(SocketError.HostNotFound, flags, $"The mesh cannot connect to {facts} by the cluster {cluster}: {reason}.");

    public static SocketException Overflow(TcpFacts facts, string cluster, uint limit)
        => Create(SocketError.ConnectionRefused, "UO", $"The mesh refuses the connection to {facts}: the cluster {cluster} has as many as it may (max_connections {limit}).");

    public static SocketException ConnectFailed(TcpFacts facts, string cluster, uint attempts, string endpoint, SocketException last)
        => Create(
            last.SocketErrorCode,
            "UF",
            $"The mesh cannot connect to {facts}: {endpoint} of the cluster {cluster} says: {last.Message}{(attempts > 1 ? $" ({attempts} attempts)" : "")}.");

    public static SocketException NoConfiguration(TcpFacts facts, string reason)
        => Create(SocketError.HostNotFound, "NR", $"The mesh has no configuration for connections to {facts}: {reason}.");

    public static SocketException Refused(TcpFacts facts, string reason, string wayOut)
        => Create(SocketError.ConnectionRefused, "UH", $"The mesh refuses the connection to {facts}: {reason}. {wayOut}");

    private static SocketException Create(SocketError code, string flags, string message) => new((int)code, message) { Data = { [FlagsKey] = flags } };
}
