using System.Net;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class SidecarValidator
{
    private const string NoProxy = "accepted, but without effect in a process of the mesh, where no proxy listens: ";

    public static void Validate(Sidecar spec, ValidationContext context)
    {
        if (spec is { Egress.Count: 0, Ingress.Count: 0, OutboundTrafficPolicy: null, InboundConnectionPool: null })
        {
            context.Error("", "says nothing: give it egress, ingress, outboundTrafficPolicy or inboundConnectionPool, or remove it.");
        }

        LabelValidator.Validate(spec.WorkloadSelector?.Labels ?? [], "workloadSelector.labels", context);
        Egress(spec, context);
        Ingress(spec, context);
        ConnectionPoolValidator.Validate(spec.InboundConnectionPool, "inboundConnectionPool", context);
        if (spec.InboundConnectionPool is not null)
        {
            context.NotApplied("inboundConnectionPool", NoProxy + "limit what comes in by Kestrel's own limits.");
        }

        OutboundTrafficPolicy(spec.OutboundTrafficPolicy, context);
    }

    private static void Egress(Sidecar spec, ValidationContext context)
    {
        var places = new Dictionary<(string Bind, uint Port), int>();
        for (var i = 0; i < spec.Egress.Count; i++)
        {
            var listener = spec.Egress[i];
            var path = $"egress[{i}]";
            Hosts(listener, path, context);
            if (listener.Port is null)
            {
                if (i < spec.Egress.Count - 1)
                {
                    context.Error(path, "is for every port, so it must be the only one without a port, and the last: give it a port or move it to the end.");
                }

                if (listener.Bind.Length > 0)
                {
                    IpAddress(listener.Bind, $"{path}.bind", context);
                }
            }
            else
            {
                Port(listener.Port, listener.Bind, $"{path}.port", context);
                Bind(listener.Port, listener.Bind, listener.CaptureMode, path, context);
                var place = listener.Port.Number == 0 ? (listener.Bind, 0u) : ("", listener.Port.Number);
                if (!places.TryAdd(place, i))
                {
                    context.Error($"{path}.port", $"is that of egress[{places[place]}], too: put the hosts of both into one entry.");
                }
            }

            if (listener.Bind.Length > 0)
            {
                context.NotApplied($"{path}.bind", NoProxy + "its hosts are called by their names.");
            }

            if (listener.CaptureMode != CaptureMode.Default)
            {
                context.NotApplied($"{path}.captureMode", NoProxy + "nothing is redirected, hosts are called by their names.");
            }
        }
    }

    private static void Hosts(IstioEgressListener listener, string path, ValidationContext context)
    {
        if (listener.Hosts.Count == 0)
        {
            context.Error($"{path}.hosts", "is required: name at least one host as namespace/host; \"~/*\" lets nothing in.");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < listener.Hosts.Count; i++)
        {
            var entry = listener.Hosts[i];
            var at = $"{path}.hosts[{i}]";
            var slash = entry.IndexOf('/', StringComparison.Ordinal);
            if (slash <= 0 || slash == entry.Length - 1)
            {
                context.Error(at, $"\"{entry}\" is not namespace/host: write \"./{(entry.Length > 0 ? entry.Trim('/') : "*")}\" for this namespace or \"*/{(entry.Length > 0 ? entry.Trim('/') : "*")}\" for any.");
                continue;
            }

            var (@namespace, host) = (entry[..slash], entry[(slash + 1)..]);
            if (@namespace is not ("*" or "." or "~") && !DnsName.IsLowerLabel(@namespace))
            {
                context.Error(at, $"\"{@namespace}\" is not a namespace: it is one, \".\" (this one), \"*\" (any) or \"~\" (none).");
            }

            if (!DnsName.IsWildcardHost(host))
            {
                context.Error(at, $"\"{host}\" is not a host{LinkMarkup.Hint(host)}.");
            }
            else if (host != "*" && !host.Contains('.', StringComparison.Ordinal))
            {
                context.Error(at, $"\"{host}\" is a short name, which is not completed here: write the full one, such as {host}.{(@namespace is "." or "*" or "~" ? "default" : @namespace)}.svc.cluster.local.");
            }
            else if (!seen.Add(entry))
            {
                context.Warn(at, $"\"{entry}\" is given twice: keep one.");
            }
        }
    }

    private static void Ingress(Sidecar spec, ValidationContext context)
    {
        var places = new Dictionary<(string Bind, uint Port), int>();
        for (var i = 0; i < spec.Ingress.Count; i++)
        {
            var listener = spec.Ingress[i];
            var path = $"ingress[{i}]";
            if (listener.Port is null)
            {
                context.Error($"{path}.port", "is required.");
            }
            else
            {
                Port(listener.Port, listener.Bind, $"{path}.port", context);
                Bind(listener.Port, listener.Bind, listener.CaptureMode, path, context);
                if (!places.TryAdd((listener.Port.Number == 0 ? listener.Bind : "", listener.Port.Number), i))
                {
                    context.Error($"{path}.port", $"is that of ingress[{places[(listener.Port.Number == 0 ? listener.Bind : "", listener.Port.Number)]}], too: keep one.");
                }
            }

            if (!IsEndpoint(listener.DefaultEndpoint))
            {
                context.Error(
                    $"{path}.defaultEndpoint",
                    $"\"{listener.DefaultEndpoint}\" must be 127.0.0.1:port, 0.0.0.0:port, [::1]:port, [::]:port, unix:///path, or left out.");
            }

            ConnectionPoolValidator.Validate(listener.ConnectionPool, $"{path}.connectionPool", context);
        }

        if (spec.Ingress.Count > 0)
        {
            context.NotApplied("ingress", NoProxy + "it serves at the addresses that it listens on itself, and registers those.");
        }
    }

    private static void Port(SidecarPort port, string bind, string path, ValidationContext context)
    {
        if (port.Number > 65535 || (port.Number == 0 && !EndpointRules.IsUnix(bind)))
        {
            context.Error($"{path}.number", $"must be a port from 1 to 65535, not {port.Number}; 0 stands beside a bind of unix:///path only.");
        }

        if (port.Protocol.Length == 0 && port.Number == 0)
        {
            context.Error($"{path}.protocol", "is required where a socket of the file system has no port.");
        }
        else if (port.Protocol.Length > 0 && !ServiceEntryValidator.Protocols.Contains(port.Protocol))
        {
            context.Error($"{path}.protocol", $"\"{port.Protocol}\" is none of {string.Join(", ", ServiceEntryValidator.Protocols)}.");
        }
    }

    private static void Bind(SidecarPort port, string bind, CaptureMode mode, string path, ValidationContext context)
    {
        if (port.Number == 0)
        {
            if (mode == CaptureMode.Iptables)
            {
                context.Error($"{path}.captureMode", "must be DEFAULT or NONE for a socket of the file system.");
            }
        }
        else if (bind.Length > 0)
        {
            IpAddress(bind, $"{path}.bind", context);
        }
    }

    private static void IpAddress(string bind, string path, ValidationContext context)
    {
        if (!DnsName.IsAddress(bind))
        {
            context.Error(path, $"\"{bind}\" is not an IP address; unix:///path needs a port with number 0.");
        }
    }

    private static bool IsEndpoint(string endpoint)
    {
        if (endpoint.Length == 0)
        {
            return true;
        }

        if (EndpointRules.IsUnix(endpoint))
        {
            return endpoint.Length > Model.NetworkAddress.UnixPrefix.Length;
        }

        return IPEndPoint.TryParse(endpoint, out var parsed)
            && parsed.Port > 0
            && (IPAddress.Any.Equals(parsed.Address) || IPAddress.Loopback.Equals(parsed.Address) || IPAddress.IPv6Any.Equals(parsed.Address) || IPAddress.IPv6Loopback.Equals(parsed.Address));
    }

    private static void OutboundTrafficPolicy(OutboundTrafficPolicy? policy, ValidationContext context)
    {
        if (policy?.EgressProxy is not { } proxy)
        {
            return;
        }

        if (policy.Mode != Istio.Networking.V1Alpha3.OutboundTrafficPolicy.Types.Mode.AllowAny)
        {
            context.Error("outboundTrafficPolicy.egressProxy", "takes what is allowed: write mode: ALLOW_ANY beside it.");
        }

        if (!DnsName.IsHost(proxy.Host) || !proxy.Host.Contains('.', StringComparison.Ordinal))
        {
            context.Error("outboundTrafficPolicy.egressProxy.host", proxy.Host.Length == 0 ? "is required." : $"\"{proxy.Host}\" must be a full host name, such as egress.istio-system.svc.cluster.local.");
        }

        if (proxy.Port is null || proxy.Port.Number is 0 or > 65535)
        {
            context.Error("outboundTrafficPolicy.egressProxy.port.number", "is required: a port from 1 to 65535.");
        }
    }
}
