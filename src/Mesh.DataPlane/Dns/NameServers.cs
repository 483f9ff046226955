using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Dns;

/// <summary>Asks the servers of <c>resolv.conf</c> one after the other until one of them answers, waiting and going round as glibc does.</summary>
internal sealed class NameServers(IRandomSource random, TimeProvider time)
{
    // A thousand names that start at once would overrun a server's socket, and wait for what was dropped.
    private const int MaxConcurrent = 64;

    private readonly SemaphoreSlim _turns = new(MaxConcurrent);
    private uint _rotation;

    /// <summary>Asks until a server says what the name has, or that it does not exist.</summary>
    /// <exception cref="DnsFailureException">No server did.</exception>
    public async ValueTask<DnsResponse> AskAsync(ResolvConf conf, DnsQuestion question, bool useTcp, CancellationToken cancellationToken)
    {
        var first = conf.Rotate ? Interlocked.Increment(ref _rotation) - 1 : 0;
        DnsFailureException? failure = null;
        for (var attempt = 0; attempt < conf.Attempts; attempt++)
        {
            for (var i = 0; i < conf.Servers.Count; i++)
            {
                var server = conf.Servers[(int)((first + (uint)i) % (uint)conf.Servers.Count)];
                try
                {
                    var response = await AskAsync(server, question, useTcp || conf.UseTcp, Patience(conf, i), cancellationToken).ConfigureAwait(false);
                    if (response.Code is DnsResponseCode.NoError or DnsResponseCode.NameError)
                    {
                        return response;
                    }

                    // Whoever is refused, or whose server is in trouble, asks the next one.
                    failure = new DnsFailureException($"{server} answered {response.Code}", isServerFailure: response.Code == DnsResponseCode.ServerFailure);
                }
                catch (Exception e) when (e is SocketException or IOException or DnsFormatException)
                {
                    failure = new DnsFailureException($"{server}: {e.Message}");
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    failure = new DnsFailureException($"{server} did not answer within {Patience(conf, i).TotalSeconds:0.###} s");
                }
            }
        }

        throw failure!;
    }

    // Each server gets its share of a time that doubles from one to the next.
    private static TimeSpan Patience(ResolvConf conf, int index)
    {
        var seconds = (int)conf.Timeout.TotalSeconds << index;
        return TimeSpan.FromSeconds(Math.Max(1, index > 0 ? seconds / conf.Servers.Count : seconds));
    }

    private async ValueTask<DnsResponse> AskAsync(IPEndPoint server, DnsQuestion question, bool useTcp, TimeSpan patience, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var timeout = new CancellationTokenSource(patience, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            var response = await SendAsync(server, question, useTcp, extended: true, linked.Token).ConfigureAwait(false);

            // RFC 6891, section 6.2.2: some servers do not understand the extension.
            return response.Code is DnsResponseCode.FormatError or DnsResponseCode.NotImplemented or DnsResponseCode.BadVersion
                ? await SendAsync(server, question, useTcp, extended: false, linked.Token).ConfigureAwait(false)
                : response;
        }
        finally
        {
            _turns.Release();
        }
    }

    private async ValueTask<DnsResponse> SendAsync(IPEndPoint server, DnsQuestion question, bool useTcp, bool extended, CancellationToken cancellationToken)
    {
        if (!useTcp)
        {
            var response = await DnsExchange.OverUdpAsync(server, NextId(), question, extended, cancellationToken).ConfigureAwait(false);
            if (!response.IsTruncated)
            {
                return response;
            }
        }

        return await DnsExchange.OverTcpAsync(server, NextId(), question, extended, cancellationToken).ConfigureAwait(false);
    }

    private ushort NextId() => (ushort)(random.NextUInt64() >> 48);
}
