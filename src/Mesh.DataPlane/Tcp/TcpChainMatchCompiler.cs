using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tcp;

/// <summary>Compiles the conditions of filter chains. What cannot be known of a connection of this process is refused: without it a chain would be for more.</summary>
internal static class TcpChainMatchCompiler
{
    /// <param name="message">The conditions.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="isInbound">Whether the connections come from elsewhere; otherwise this process makes them.</param>
    /// <exception cref="ResourceRejectedException">A condition cannot be held, or is none.</exception>
    public static TcpChainMatch Compile(FilterChainMatch? message, string path, bool isInbound = false)
    {
        if (message is null)
        {
            return TcpChainMatch.Any;
        }

        Refuse(message.AddressSuffix.Length > 0, $"{path}.address_suffix", "is not supported, as it is not by Envoy");
        Refuse(message.SuffixLen is not null, $"{path}.suffix_len", "is not supported, as it is not by Envoy");
        Refuse(!isInbound && message.SourcePorts.Count > 0, $"{path}.source_ports", "is not supported: a connection of this process has no port before it is made");
        Refuse(
            message.TransportProtocol is not ("" or "tls" or "raw_buffer"),
            $"{path}.transport_protocol",
            $"'{message.TransportProtocol}' is not told apart here, only tls and raw_buffer are");
        return new TcpChainMatch
        {
            DestinationPort = message.DestinationPort,
            Destinations = Networks(message.PrefixRanges, $"{path}.prefix_ranges"),
            ServerNames = [.. message.ServerNames.Select((name, i) => ServerName(name, $"{path}.server_names[{i}]"))],
            TransportProtocol = message.TransportProtocol,
            ApplicationProtocols = [.. message.ApplicationProtocols],
            DirectSources = Networks(message.DirectSourcePrefixRanges, $"{path}.direct_source_prefix_ranges"),
            Source = (TcpChainMatch.SourceType)message.SourceType,
            Sources = Networks(message.SourcePrefixRanges, $"{path}.source_prefix_ranges"),
            SourcePorts = [.. message.SourcePorts],
        };
    }

    private static void Refuse(bool isSet, string path, string reason)
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, reason);
        }
    }

    private static string ServerName(string name, string path)
    {
        var suffix = name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name;
        Refuse(suffix.Contains('*', StringComparison.Ordinal), path, $"'{name}' is not a name, nor one that begins with '*.'");
        return suffix.ToLowerInvariant();
    }

    private static IReadOnlyList<IPNetwork> Networks(IReadOnlyList<CidrRange> ranges, string path)
        => [.. ranges.Select((range, i) => Network(range, $"{path}[{i}]"))];

    private static IPNetwork Network(CidrRange range, string path)
    {
        if (!IPAddress.TryParse(range.AddressPrefix, out var address))
        {
            throw new ResourceRejectedException(path + ".address_prefix", $"'{range.AddressPrefix}' is not an IP address");
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = range.PrefixLen ?? 0;
        Refuse(length > bits, path + ".prefix_len", $"{length} is longer than the address");

        // Envoy leaves out what lies behind the prefix; IPNetwork would refuse it.
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var left = Math.Clamp((int)length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - left));
        }

        return new IPNetwork(new IPAddress(bytes), (int)length);
    }
}
