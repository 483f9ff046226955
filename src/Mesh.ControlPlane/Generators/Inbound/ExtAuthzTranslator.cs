using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Authorization;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using GrpcProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationGrpcProvider;
using HttpProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationHttpProvider;
using HttpService = Envoy.Extensions.Filters.Http.ExtAuthz.V3.HttpService;
using NetworkExtAuthz = Envoy.Extensions.Filters.Network.ExtAuthz.V3.ExtAuthz;
using RequestBody = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyExternalAuthorizationRequestBody;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>A declared authorizer as an <c>ext_authz</c> filter, in Istio's shape: it is asked about what the shadow rules before it have marked.</summary>
internal static class ExtAuthzTranslator
{
    // Istio's: an authorizer may ask a person.
    private static readonly Duration DefaultTimeout = new() { Seconds = 600 };

    /// <param name="provider">The authorizer.</param>
    /// <param name="cluster">The cluster by which it is asked.</param>
    /// <param name="host">Its host.</param>
    /// <param name="enabled">What the rules have marked.</param>
    public static ExtAuthz Translate(ExtensionProvider provider, SubsetKey cluster, string host, MetadataMatcher enabled)
    {
        var filter = new ExtAuthz { TransportApiVersion = ApiVersion.V3, FilterEnabledMetadata = enabled };
        if (provider.EnvoyExtAuthzGrpc is { } grpc)
        {
            filter.GrpcService = Service(grpc, cluster, host);
            Apply(filter, grpc.FailOpen, grpc.ClearRouteCache, grpc.StatusOnError, grpc.IncludeRequestBodyInCheck);
        }
        else
        {
            var http = provider.EnvoyExtAuthzHttp;
            filter.HttpService = Service(http, cluster, host);
#pragma warning disable CS0612 // What older documents say counts where the newer field says nothing.
            filter.AllowedHeaders = Headers(http.IncludeRequestHeadersInCheck) ?? Headers(http.IncludeHeadersInCheck);
#pragma warning restore CS0612
            Apply(filter, http.FailOpen, http.ClearRouteCache, http.StatusOnError, http.IncludeRequestBodyInCheck);
        }

        return filter;
    }

    /// <summary>The same for connections, of which only gRPC providers are asked.</summary>
    /// <param name="provider">The authorizer.</param>
    /// <param name="cluster">The cluster by which it is asked.</param>
    /// <param name="host">Its host.</param>
    /// <param name="statPrefix">Stands in the names of its counters.</param>
    /// <param name="enabled">What the rules have marked.</param>
    public static NetworkExtAuthz TranslateForConnections(ExtensionProvider provider, SubsetKey cluster, string host, string statPrefix, MetadataMatcher enabled)
        => new()
        {
            StatPrefix = statPrefix,
            GrpcService = Service(provider.EnvoyExtAuthzGrpc, cluster, host),
            FailureModeAllow = provider.EnvoyExtAuthzGrpc.FailOpen,
            TransportApiVersion = ApiVersion.V3,
            FilterEnabledMetadata = enabled,
        };

    private static GrpcService Service(GrpcProvider grpc, SubsetKey cluster, string host) => new()
    {
        EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = cluster.ToString(), Authority = host },
        Timeout = grpc.Timeout ?? DefaultTimeout,
    };

    private static void Apply(ExtAuthz filter, bool failOpen, bool clearRouteCache, string statusOnError, RequestBody? body)
    {
        filter.FailureModeAllow = failOpen;
        filter.ClearRouteCache = clearRouteCache;
        if (int.TryParse(statusOnError, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            filter.StatusOnError = new HttpStatus { Code = (StatusCode)status };
        }

        if (body is not null)
        {
            filter.WithRequestBody = new BufferSettings { MaxRequestBytes = body.MaxRequestBytes, AllowPartialMessage = body.AllowPartialMessage, PackAsBytes = body.PackAsBytes };
        }
    }

    private static HttpService Service(HttpProvider http, SubsetKey cluster, string host)
    {
        var service = new HttpService
        {
            ServerUri = new HttpUri { Uri = $"http://{host}", Cluster = cluster.ToString(), Timeout = http.Timeout ?? DefaultTimeout },
            PathPrefix = http.PathPrefix,
        };
        if (http.IncludeAdditionalHeadersInCheck.Count > 0)
        {
            service.AuthorizationRequest = new AuthorizationRequest
            {
                HeadersToAdd = { http.IncludeAdditionalHeadersInCheck.OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => new HeaderValue { Key = h.Key, Value = h.Value }) },
            };
        }

        if (http.HeadersToUpstreamOnAllow.Count + http.HeadersToDownstreamOnDeny.Count + http.HeadersToDownstreamOnAllow.Count > 0)
        {
            service.AuthorizationResponse = new AuthorizationResponse
            {
                AllowedUpstreamHeaders = Headers(http.HeadersToUpstreamOnAllow),
                AllowedClientHeaders = Headers(http.HeadersToDownstreamOnDeny),
                AllowedClientHeadersOnSuccess = Headers(http.HeadersToDownstreamOnAllow),
            };
        }

        return service;
    }

    private static ListStringMatcher? Headers(IReadOnlyList<string> names)
        => names.Count == 0 ? null : new ListStringMatcher { Patterns = { names.Select(Header) } };

    private static StringMatcher Header(string name)
        => name switch
        {
            ['*', .. var end] => new StringMatcher { Suffix = end, IgnoreCase = true },
            [.. var beginning, '*'] => new StringMatcher { Prefix = beginning, IgnoreCase = true },
            _ => new StringMatcher { Exact = name, IgnoreCase = true },
        };
}
