namespace Mesh.TestNet;

/// <summary>A request as an outside host received it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Scheme"><c>https</c> when it came over TLS.</param>
/// <param name="Host">The Host header or authority.</param>
/// <param name="Target">Path and query.</param>
/// <param name="Protocol"><c>HTTP/1.1</c> or <c>HTTP/2</c>.</param>
/// <param name="ServerName">The server name of its TLS handshake.</param>
/// <param name="ClientCertificate">The subject of the caller's certificate.</param>
/// <param name="Connection">The connection on which it came.</param>
/// <param name="Headers">The headers.</param>
public sealed record OutsideRequest(
    string Method,
    string Scheme,
    string Host,
    string Target,
    string Protocol,
    string? ServerName,
    string? ClientCertificate,
    string Connection,
    IReadOnlyDictionary<string, string> Headers);
