using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using HttpProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationHttpProvider;
using GrpcProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationGrpcProvider;
using RequestBody = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationRequestBody;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio asks of external authorizers among the <c>extensionProviders</c>.</summary>
internal static class ExtAuthzProviderValidator
{
    private const int MaxNameLength = 63;

    public static void Validate(string name, HttpProvider provider, string path, ValidationContext context)
    {
        path = $"{path}.envoyExtAuthzHttp";
        Common(name, provider.Service, provider.Port, provider.Timeout, provider.StatusOnError, provider.IncludeRequestBodyInCheck, path, context);
        if (provider.PathPrefix.Length > 0 && !provider.PathPrefix.StartsWith('/'))
        {
            context.Error($"{path}.pathPrefix", $"\"{provider.PathPrefix}\" must begin with '/'.");
        }

        NoStar(provider.IncludeRequestHeadersInCheck, "includeRequestHeadersInCheck");
#pragma warning disable CS0612 // What older documents say.
        NoStar(provider.IncludeHeadersInCheck, "includeHeadersInCheck");
#pragma warning restore CS0612
        NoStar(provider.HeadersToUpstreamOnAllow, "headersToUpstreamOnAllow");
        NoStar(provider.HeadersToDownstreamOnDeny, "headersToDownstreamOnDeny");
        NoStar(provider.HeadersToDownstreamOnAllow, "headersToDownstreamOnAllow");

        void NoStar(IReadOnlyList<string> headers, string field)
        {
            for (var i = 0; i < headers.Count; i++)
            {
                if (headers[i].Length == 0 || headers[i] == "*")
                {
                    context.Error($"{path}.{field}[{i}]", "must be the name of a header, or the beginning (x-*) or the end (*-id) of some.");
                }
            }
        }
    }

    public static void Validate(string name, GrpcProvider provider, string path, ValidationContext context)
        => Common(name, provider.Service, provider.Port, provider.Timeout, provider.StatusOnError, provider.IncludeRequestBodyInCheck, $"{path}.envoyExtAuthzGrpc", context);

    private static void Common(
        string name, string service, uint port, Duration? timeout, string status, RequestBody? body, string path, ValidationContext context)
    {
        // It becomes part of the names of rules, by which the authorizer is found.
        if (name.Length > MaxNameLength || (name.Length > 0 && !DnsName.IsLowerLabel(name)))
        {
            context.Error(path, $"the provider's name \"{name}\" must be a label: at most 63 lower-case letters, digits and '-'.");
        }

        var host = service[(service.IndexOf('/', StringComparison.Ordinal) + 1)..];
        if (host.Length == 0 || host.Contains('/', StringComparison.Ordinal) || !host.Split('.').All(label => DnsName.IsLowerLabel(label)))
        {
            context.Error($"{path}.service", $"\"{service}\" must be the full name of a service, such as authz.default.svc.cluster.local or default/authz.example.com.");
        }

        if (port is 0 or > 65535)
        {
            context.Error($"{path}.port", $"must be a port from 1 to 65535, not {port}.");
        }

        if (timeout is not null && timeout.ToTimeSpan() < TimeSpan.FromMilliseconds(1))
        {
            context.Error($"{path}.timeout", "must be at least 1ms.");
        }

        if (status.Length > 0 && !(int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 200 and <= 599))
        {
            context.Error($"{path}.statusOnError", $"\"{status}\" must be the status of a response, such as \"403\".");
        }

        if (body is { MaxRequestBytes: 0 })
        {
            context.Error($"{path}.includeRequestBodyInCheck.maxRequestBytes", "must be greater than 0.");
        }
    }
}
