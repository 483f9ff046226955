using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Mesh.TestNet.Dns;

namespace Mesh.TestNet;

/// <summary>
/// The world outside a mesh, on loopback: names in a DNS server of its own, hosts at addresses of their own with certificates of an authority
/// of its own. Needs no privilege: what the outside knows as a port below 1024 is 10000 more here (443 is 10443), which documents say by
/// <c>targetPort</c> or the ports of endpoints, and which <see cref="CreateHandler"/> knows.
/// </summary>
public sealed class OutsideNet : IAsyncDisposable
{
    private const int DnsPort = 10053;
    private const int FirstUnprivilegedPort = 1024;
    private const int PortOffset = 10_000;

    private readonly List<OutsideHost> _hosts = [];
    private readonly byte[] _block;
    private readonly bool _ownsAuthority;
    private int _last = 1;

    private OutsideNet(byte[] block, DnsZone names, DnsServer dns, TestCertificateAuthority? authority)
    {
        (_block, Names, Dns) = (block, names, dns);
        _ownsAuthority = authority is null;
        Authority = authority ?? new TestCertificateAuthority();
    }

    /// <summary>What DNS says; hosts of the net are in it with answers that hold for a minute.</summary>
    public DnsZone Names { get; }

    public DnsServer Dns { get; }

    /// <summary>Where DNS is served: <c>ip:port</c>.</summary>
    public string DnsAddress => Dns.EndPoint.ToString();

    /// <summary>Signs the certificates of the hosts.</summary>
    public TestCertificateAuthority Authority { get; }

    /// <summary>Takes a /24 of 127.0.0.0/8 that nobody else has, on this machine, and starts DNS in it.</summary>
    /// <param name="authority">Who signs for its hosts; by default an authority of its own.</param>
    public static OutsideNet Start(TestCertificateAuthority? authority = null)
    {
        var names = new DnsZone();
        while (true)
        {
            byte[] block = [127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(1, 255)];
            if (DnsServer.TryStart(new IPEndPoint(Address(block, 1), DnsPort), request => [names.Answer(request).ToArray()]) is { } dns)
            {
                return new OutsideNet(block, names, dns, authority);
            }
        }
    }

    /// <summary>The port on this machine for one of the outside.</summary>
    public static int LocalPort(int port) => port < FirstUnprivilegedPort ? port + PortOffset : port;

    /// <summary>Starts a host and makes its names known to DNS.</summary>
    public async Task<OutsideHost> AddHostAsync(string name, Action<OutsideHostOptions>? configure = null)
    {
        var options = new OutsideHostOptions();
        configure?.Invoke(options);
        var host = await OutsideHost.StartAsync(name, NextAddress(), Authority, options);
        lock (_hosts)
        {
            _hosts.Add(host);
        }

        foreach (var known in host.Names)
        {
            Names.Set(known, 60, host.Address);
        }

        return host;
    }

    /// <summary>An address of this net at which nobody listens.</summary>
    public IPAddress NextAddress() => Address(_block, Interlocked.Increment(ref _last));

    /// <summary>The primary handler of an application that lives in this world: it knows these names and ports, and trusts this authority alone.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        ConnectCallback = ConnectAsync,
        SslOptions = { CertificateChainPolicy = Authority.CreateChainPolicy() },
    };

    /// <summary>Connects as a socket of this world does.</summary>
    /// <exception cref="SocketException">There is no such name, or nobody listens.</exception>
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken = default)
    {
        var address = Names.Lookup(host) switch
        {
            [var first, ..] => first,
            _ when IPAddress.TryParse(host, out var literal) && IPAddress.IsLoopback(literal) => literal,
            _ => throw new SocketException((int)SocketError.HostNotFound),
        };

        // Servers of the mesh are on loopback too, at ports of the system's choice: those are what they are.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, LocalPort(port)), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        await Dns.DisposeAsync();
        if (_ownsAuthority)
        {
            Authority.Dispose();
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address(_block, 0)}/24");

    private static IPAddress Address(byte[] block, int last) => new([.. block, checked((byte)last)]);

    private ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
        => ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken);
}
