namespace Mesh.ControlPlane.Model;

/// <summary>Istio's rules of protocol selection.</summary>
internal static class PortProtocols
{
    /// <summary>A Kubernetes Service port: <c>appProtocol</c> first, then the prefix of the port's name, then well-known TCP ports.</summary>
    public static PortProtocol OfKubernetes(string name, string appProtocol, string transport, uint number)
    {
        if (string.Equals(transport, "UDP", StringComparison.OrdinalIgnoreCase))
        {
            return PortProtocol.Udp;
        }

        if (appProtocol.Length > 0)
        {
            return appProtocol switch
            {
                "kubernetes.io/h2c" => PortProtocol.Http2,
                "kubernetes.io/ws" => PortProtocol.Http,
                "kubernetes.io/wss" => PortProtocol.Https,
                _ => Parse(appProtocol),
            };
        }

        if (Parse(name) is var byName && byName != PortProtocol.Auto)
        {
            return byName;
        }

        if (name.StartsWith("grpc-web", StringComparison.OrdinalIgnoreCase))
        {
            return PortProtocol.GrpcWeb;
        }

        var dash = name.IndexOf('-', StringComparison.Ordinal);
        if (dash > 0)
        {
            return Parse(name[..dash]);
        }

        // SSH, SMTP, DNS, MySQL and MongoDB let the server speak first or are never HTTP: Istio does not sniff there.
        return number is 22 or 25 or 53 or 3306 or 27017 ? PortProtocol.Tcp : PortProtocol.Auto;
    }

    /// <summary>Reads a protocol name as ServiceEntry ports and port names spell it, in any case.</summary>
    public static PortProtocol Parse(string protocol) => protocol.ToUpperInvariant() switch
    {
        "HTTP" or "HTTP_PROXY" => PortProtocol.Http,
        "HTTP2" => PortProtocol.Http2,
        "GRPC" => PortProtocol.Grpc,
        "GRPC-WEB" => PortProtocol.GrpcWeb,
        "HTTPS" => PortProtocol.Https,
        "TLS" => PortProtocol.Tls,
        "TCP" or "MONGO" or "MYSQL" or "REDIS" => PortProtocol.Tcp,
        "UDP" => PortProtocol.Udp,
        _ => PortProtocol.Auto,
    };

    /// <summary>Whether HTTP rules apply to the port.</summary>
    public static bool IsHttp(this PortProtocol protocol)
        => protocol is PortProtocol.Auto or PortProtocol.Http or PortProtocol.Http2 or PortProtocol.Grpc or PortProtocol.GrpcWeb;

    /// <summary>Whether connections are carried as they are, and <c>tcp</c> or <c>tls</c> rules apply to the port.</summary>
    public static bool IsTcp(this PortProtocol protocol) => protocol == PortProtocol.Tcp || protocol.IsTls();

    /// <summary>Whether the first bytes say by name (SNI) who is called, so that <c>tls</c> rules apply to the port.</summary>
    public static bool IsTls(this PortProtocol protocol) => protocol is PortProtocol.Tls or PortProtocol.Https;

    /// <summary>Whether the workloads behind the port speak HTTP/2 in plain text with prior knowledge.</summary>
    public static bool IsHttp2(this PortProtocol protocol) => protocol is PortProtocol.Http2 or PortProtocol.Grpc;
}
