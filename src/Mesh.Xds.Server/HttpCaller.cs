using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mesh.Xds.Server;

/// <summary>What a caller shows of himself over HTTP.</summary>
internal static class HttpCaller
{
    /// <summary>Where the TLS port leaves the certificates that came with a client's own.</summary>
    public const string ChainKey = "Mesh.Xds.Server.ClientCertificateChain";

    private static readonly string[] _forwarding = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Original-For", "X-Real-IP", "Via", "X-Envoy-External-Address"];

    private const string Bearer = "Bearer ";
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public static CallerCredentials CredentialsOf(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization;
        var certificate = context.Connection.ClientCertificate;
        return new CallerCredentials
        {
            BearerToken = authorization is [{ } header] && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null,
            Certificate = certificate,
            CertificateChain = certificate is not null
                && context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(ChainKey, out var chain) == true
                && chain is IReadOnlyList<X509Certificate2> certificates ? certificates : [],
            Remote = context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort) : null,
            UserId = UserOf(context),
        };
    }

    /// <summary>The same, as the engines know a stream that is not one of configuration.</summary>
    public static AdsConnectionInfo ConnectionOf(HttpContext context)
    {
        var caller = CredentialsOf(context);
        return new AdsConnectionInfo(0, caller.Remote, IsInProcess: false) { Caller = caller };
    }

    /// <summary>
    /// The same for what everybody on this machine may read. A browser on it is no proof that its user asks: any page may send requests to loopback, and
    /// read the answers under a name that leads here (DNS rebinding); nor is a proxy, which asks for others.
    /// </summary>
    public static CallerCredentials ReaderOf(HttpContext context)
    {
        var credentials = CredentialsOf(context);
        var headers = context.Request.Headers;
        var host = context.Request.Host.Host;
        var isDirect = (host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out _))
            && !_forwarding.Any(headers.ContainsKey)
            && (headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none"
                || (headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document"));
        return isDirect ? credentials : credentials with { Remote = new DnsEndPoint("somebody-behind-" + (credentials.Remote as IPEndPoint)?.Address, 0) };
    }

    /// <summary>The user at the other end of a Unix socket (Linux: <c>SO_PEERCRED</c>).</summary>
    private static uint? UserOf(HttpContext context)
    {
        if (!OperatingSystem.IsLinux() || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { AddressFamily: AddressFamily.Unix } socket)
        {
            return null;
        }

        // struct ucred { pid, uid, gid }.
        Span<byte> credentials = stackalloc byte[12];
        try
        {
            return socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) == credentials.Length
                ? (BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..]))
                : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
