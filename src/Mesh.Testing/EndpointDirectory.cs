using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Dns;

namespace Mesh.Testing;

/// <summary>Who answers at which address, in place of a network.</summary>
internal sealed class EndpointDirectory
{
    // 240.0.0.0/4 is reserved (RFC 1112): no host has such an address, and nobody is called by mistake if one escapes.
    private const uint FirstAddress = 0xF0000001;
    private const int Port = 80;

    private readonly ConcurrentDictionary<EndPoint, Entry> _entries = new();
    private uint _last = FirstAddress - 1;

    /// <summary>Gives a handler an address of its own.</summary>
    public IPEndPoint Add(HttpMessageHandler handler, IReadOnlyDictionary<string, string> labels)
    {
        var number = Interlocked.Increment(ref _last);
        var address = new IPEndPoint(new IPAddress([(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]), Port);
        _entries[address] = new Entry(new HttpMessageInvoker(handler, disposeHandler: false), labels);
        return address;
    }

    /// <summary>Lets a handler answer at an address that documents name.</summary>
    public void Map(IPEndPoint address, HttpMessageHandler handler)
        => _entries[address] = new Entry(new HttpMessageInvoker(handler, disposeHandler: false), null);

    public Entry? Find(EndPoint address) => _entries.GetValueOrDefault(LogicalHost.AddressOf(address));

    /// <param name="Invoker">Calls the handler.</param>
    /// <param name="Labels">The labels that the workload was added with; <see langword="null"/> for an address that documents name.</param>
    internal sealed record Entry(HttpMessageInvoker Invoker, IReadOnlyDictionary<string, string>? Labels);
}
