using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Mesh.TestNet;

/// <summary>What an outside host is like.</summary>
public sealed class OutsideHostOptions
{
    /// <summary>Other names by which it is known: to DNS, and by certificates of their own.</summary>
    public IList<string> Names { get; } = [];

    /// <summary>What it answers; by default its name and the target of the request.</summary>
    public RequestDelegate? Answer { get; set; }

    /// <summary>The port for HTTP in clear text, as the outside knows it; <see langword="null"/>: none.</summary>
    /// <value>The default value is 80.</value>
    public int? HttpPort { get; set; } = 80;

    /// <summary>The port for HTTP over TLS, as the outside knows it; <see langword="null"/>: none.</summary>
    /// <value>The default value is 443.</value>
    public int? HttpsPort { get; set; } = 443;

    /// <summary>HTTP/2 in clear text, and nothing else, at <see cref="HttpPort"/>; TLS offers both by ALPN.</summary>
    public bool Http2 { get; set; }

    /// <summary>Callers must show a certificate of the authority.</summary>
    public bool RequireClientCertificate { get; set; }

    /// <summary>The certificate for a server name; by default one of the authority for the name, or for the host's where it is not the host's.</summary>
    public Func<string?, X509Certificate2>? Certificate { get; set; }

    /// <summary>Other ports, as the outside knows them, and what is done with connections to them.</summary>
    public IDictionary<int, ConnectionDelegate> Tcp { get; } = new Dictionary<int, ConnectionDelegate>();
}
