namespace Mesh.DataPlane.Tests.Hostility;

/// <summary>Resources that use most of what they can say, to be broken from there. The first of each kind belong together.</summary>
internal static class HostileResources
{
    public static string[] Listeners { get; } =
    [
        """
        {"name": "reviews:9080", "apiListener": {"apiListener": {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
          "statPrefix": "s", "streamIdleTimeout": "5s", "commonHttpProtocolOptions": {"maxStreamDuration": "9s"},
          "rds": {"routeConfigName": "reviews", "configSource": {"ads": {}}},
          "httpFilters": [
            {"name": "fault", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault", "delay": {"fixedDelay": "0.001s", "percentage": {"numerator": 1}}, "abort": {"httpStatus": 503, "percentage": {"numerator": 1}}, "maxActiveFaults": 3, "headers": [{"name": "x-a", "presentMatch": true}], "responseRateLimit": {"fixedLimit": {"limitKbps": 1000}, "percentage": {"numerator": 100}}}},
            {"name": "cors", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"}},
            {"name": "buffer", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "maxRequestBytes": 1000}},
            {"name": "mutation", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", "mutations": {"requestMutations": [{"remove": "x-gone"}, {"append": {"header": {"key": "x-m", "value": "%REQ(x-a)%"}}}], "responseMutations": [{"append": {"header": {"key": "x-n", "value": "%RESPONSE_CODE%"}}}], "queryParameterMutations": [{"append": {"record": {"key": "k", "value": "v"}}}]}}},
            {"name": "limit", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit", "statPrefix": "l", "tokenBucket": {"maxTokens": 100, "tokensPerFill": 10, "fillInterval": "1s"}, "filterEnabled": {"defaultValue": {"numerator": 100}}, "filterEnforced": {"defaultValue": {"numerator": 100}}, "status": {"code": "TooManyRequests"}, "responseHeadersToAdd": [{"header": {"key": "x-l", "value": "y"}}], "enableXRatelimitHeaders": "DRAFT_VERSION_03"}},
            {"name": "session", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession", "sessionState": {"name": "c", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState", "cookie": {"name": "session", "ttl": "3s", "path": "/", "attributes": [{"name": "SameSite", "value": "Lax"}]}}}}},
            {"name": "router", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}}
        """,
        """
        {"name": "reviews:9080", "apiListener": {"apiListener": {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
          "statPrefix": "s",
          "routeConfig": {"name": "in", "virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "c"}}]}]},
          "httpFilters": [
            {"name": "session", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession", "sessionState": {"name": "c", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState", "name": "x-user"}}, "strict": true}},
            {"name": "router", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}}
        """,
    ];

    public static string[] Routes { get; } =
    [
        """
        {"name": "reviews", "ignorePortInHostMatching": true, "requestHeadersToAdd": [{"header": {"key": "x-conf", "value": "1"}}], "responseHeadersToRemove": ["x-r"],
         "virtualHosts": [{"name": "v", "domains": ["*"], "includeRequestAttemptCount": true, "includeAttemptCountInResponse": true,
           "requestHeadersToAdd": [{"header": {"key": "x-host", "value": "%REQ(x-a)%-%PROTOCOL%"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}], "requestHeadersToRemove": ["x-user"],
           "retryPolicy": {"retryOn": "5xx,reset", "numRetries": 1, "retryBackOff": {"baseInterval": "0.001s", "maxInterval": "0.002s"}},
           "routes": [
             {"name": "api", "match": {"prefix": "/api", "headers": [{"name": "x-a", "stringMatch": {"exact": "b"}}, {"name": ":method", "invertMatch": true, "stringMatch": {"prefix": "DEL"}}], "queryParameters": [{"name": "q", "stringMatch": {"safeRegex": {"regex": "[a-z]+"}}}], "runtimeFraction": {"defaultValue": {"numerator": 100}}, "grpc": null},
              "route": {"weightedClusters": {"clusters": [{"name": "c", "weight": 70, "requestHeadersToAdd": [{"header": {"key": "x-w", "value": "%UPSTREAM_HOST%"}}], "hostRewriteLiteral": "w"}, {"name": "d", "weight": 30}]},
                "prefixRewrite": "/v2", "timeout": "0.2s", "idleTimeout": "1s", "maxStreamDuration": {"maxStreamDuration": "2s", "grpcTimeoutHeaderMax": "1s"},
                "retryPolicy": {"retryOn": "5xx,reset,connect-failure,retriable-status-codes,retriable-headers", "numRetries": 2, "perTryTimeout": "0.1s", "perTryIdleTimeout": "0.1s", "retriableStatusCodes": [503], "hostSelectionRetryMaxAttempts": "3", "retryBackOff": {"baseInterval": "0.001s", "maxInterval": "0.002s"}, "rateLimitedRetryBackOff": {"resetHeaders": [{"name": "retry-after", "format": "SECONDS"}], "maxInterval": "1s"}, "retriableHeaders": [{"name": "x-r"}], "retryHostPredicate": [{"name": "p", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}], "retryPriority": {"name": "q", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig", "updateFrequency": 2}}},
                "hashPolicy": [{"header": {"headerName": "x-user", "regexRewrite": {"pattern": {"regex": "(.*)"}, "substitution": "\\1"}}}, {"cookie": {"name": "u", "ttl": "1s", "path": "/", "attributes": [{"name": "Secure"}]}}, {"queryParameter": {"name": "q"}, "terminal": true}],
                "requestMirrorPolicies": [{"cluster": "d", "runtimeFraction": {"defaultValue": {"numerator": 100}}}], "priority": "HIGH", "hedgePolicy": {"initialRequests": 1, "hedgeOnPerTryTimeout": true}, "internalRedirectPolicy": {"maxInternalRedirects": 2}},
              "responseHeadersToAdd": [{"header": {"key": "x-out", "value": "%RESPONSE_CODE%%REQ(x-a)%"}}],
              "typedPerFilterConfig": {"buffer": {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute", "disabled": true}, "cors": {"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy", "allowOriginStringMatch": [{"exact": "http://a"}], "allowMethods": "GET", "maxAge": "1", "exposeHeaders": "x-r"}}},
             {"match": {"path": "/direct"}, "directResponse": {"status": 418, "body": {"inlineString": "tea"}}},
             {"match": {"pathSeparatedPrefix": "/a"}, "redirect": {"prefixRewrite": "/z", "hostRedirect": "h", "portRedirect": 81, "schemeRedirect": "https", "responseCode": "SEE_OTHER", "stripQuery": true}},
             {"match": {"safeRegex": {"regex": "/x([0-9])/.*"}}, "route": {"clusterHeader": "x-a", "regexRewrite": {"pattern": {"regex": "^/x([0-9])/(.*)$"}, "substitution": "/\\2/\\1"}, "hostRewritePathRegex": {"pattern": {"regex": "^/(.+)/.*$"}, "substitution": "\\1"}}},
             {"match": {"prefix": "/"}, "route": {"cluster": "c", "autoHostRewrite": true, "appendXForwardedHost": true}, "statPrefix": "st"}]}]}
        """,
        """
        {"name": "reviews", "virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "c", "hostRewriteHeader": "x-user", "pathRewrite": "/p%REQ(:path)%"}}]}, {"name": "w", "domains": ["a.b", "*.c", "d.*"], "requireTls": "ALL", "routes": [{"match": {"prefix": "/"}, "redirect": {"pathRewrite": "/%REQ(x-a)%"}}]}]}
        """,
    ];

    public static string[] Clusters { get; } =
    [
        """
        {"name": "c", "type": "EDS", "edsClusterConfig": {"edsConfig": {"ads": {}}, "serviceName": "e"}, "connectTimeout": "1s", "lbPolicy": "LEAST_REQUEST", "leastRequestLbConfig": {"choiceCount": 3, "activeRequestBias": {"defaultValue": 1.5, "runtimeKey": "k"}, "slowStartConfig": {"slowStartWindow": "1s", "aggression": {"defaultValue": 2, "runtimeKey": "k"}, "minWeightPercent": {"value": 10}}},
         "circuitBreakers": {"thresholds": [{"maxConnections": 10, "maxPendingRequests": 10, "maxRequests": 10, "maxRetries": 3, "retryBudget": {"budgetPercent": {"value": 20}, "minRetryConcurrency": 3}}, {"priority": "HIGH", "maxRequests": 3}], "perHostThresholds": [{"maxConnections": 3}]},
         "outlierDetection": {"consecutive5xx": 3, "interval": "1s", "baseEjectionTime": "1s", "maxEjectionPercent": 50, "enforcingConsecutive5xx": 100, "successRateMinimumHosts": 2, "successRateStdevFactor": 1900, "maxEjectionTime": "5s", "maxEjectionTimeJitter": "1s", "failurePercentageThreshold": 50, "enforcingFailurePercentage": 100, "splitExternalLocalOriginErrors": true},
         "commonLbConfig": {"healthyPanicThreshold": {"value": 50}, "zoneAwareLbConfig": {"routingEnabled": {"value": 100}, "minClusterSize": "2"}, "overrideHostStatus": {"statuses": ["HEALTHY"]}},
         "typedExtensionProtocolOptions": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "commonHttpProtocolOptions": {"idleTimeout": "3s", "maxRequestsPerConnection": 5, "maxConnectionDuration": "9s"}, "explicitHttpConfig": {"http2ProtocolOptions": {"maxConcurrentStreams": 10, "initialStreamWindowSize": 65535, "connectionKeepalive": {"interval": "3s", "timeout": "1s"}}}}},
         "upstreamConnectionOptions": {"tcpKeepalive": {"keepaliveProbes": 3, "keepaliveTime": 10, "keepaliveInterval": 3}}}
        """,
        """
        {"name": "c", "type": "STATIC", "lbPolicy": "RING_HASH", "ringHashLbConfig": {"minimumRingSize": "64", "maximumRingSize": "128", "hashFunction": "MURMUR_HASH_2"},
         "commonLbConfig": {"localityWeightedLbConfig": {}, "consistentHashingLbConfig": {"useHostnameForHashing": true, "hashBalanceFactor": 150}},
         "healthChecks": [{"timeout": "1s", "interval": "1s", "unhealthyThreshold": 2, "healthyThreshold": 1, "httpHealthCheck": {"path": "/h", "host": "x", "expectedStatuses": [{"start": "200", "end": "300"}], "requestHeadersToAdd": [{"header": {"key": "a", "value": "b"}}]}, "noTrafficInterval": "1s", "initialJitter": "0.001s", "intervalJitterPercent": 10}],
         "loadAssignment": {"clusterName": "c", "endpoints": [{"loadBalancingWeight": 3, "lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "10.0.0.1", "portValue": 80}}, "hostname": "h"}, "loadBalancingWeight": 2}, {"endpoint": {"address": {"socketAddress": {"address": "10.0.0.2", "portValue": 80}}, "healthCheckConfig": {"portValue": 81}}}]}]}}
        """,
        """
        {"name": "c", "type": "EDS", "edsClusterConfig": {"edsConfig": {"ads": {}}, "serviceName": "e"}, "loadBalancingPolicy": {"policies": [{"typedExtensionConfig": {"name": "o", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost", "overrideHostSources": [{"header": "x-user"}], "fallbackPolicy": {"policies": [{"typedExtensionConfig": {"name": "w", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality", "endpointPickingPolicy": {"policies": [{"typedExtensionConfig": {"name": "m", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev", "tableSize": "251", "consistentHashingLbConfig": {"hashBalanceFactor": 130, "hashPolicy": [{"header": {"headerName": "x-a"}}]}}}}]}}}}]}}}}]}}
        """,
        """
        {"name": "c", "type": "EDS", "edsClusterConfig": {"edsConfig": {"ads": {}}, "serviceName": "e"}, "loadBalancingPolicy": {"policies": [{"typedExtensionConfig": {"name": "o", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin", "blackoutPeriod": "1s", "weightExpirationPeriod": "9s", "weightUpdatePeriod": "1s", "errorUtilizationPenalty": 1.5, "metricNamesForComputingUtilization": ["named_metrics.x"]}}}]}}
        """,
        """
        {"name": "c", "type": "STRICT_DNS", "dnsRefreshRate": "1s", "dnsFailureRefreshRate": {"baseInterval": "1s", "maxInterval": "2s"}, "dnsJitter": "0.1s", "respectDnsTtl": true, "dnsLookupFamily": "V4_PREFERRED", "loadAssignment": {"clusterName": "c", "endpoints": [{"priority": 0, "lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "a.example", "portValue": 80}}}}]}, {"priority": 1, "lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "b.example", "portValue": 80}}}}]}]}}
        """,
        """
        {"name": "c", "clusterType": {"name": "envoy.clusters.dns", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster", "dnsRefreshRate": "1s", "dnsMinRefreshRate": "1s", "dnsJitter": "0.1s", "dnsFailureRefreshRate": {"baseInterval": "1s"}, "allAddressesInSingleEndpoint": true}}, "loadAssignment": {"clusterName": "c", "endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "a.example", "portValue": 80}}}}]}]}}
        """,
    ];

    public static string[] Endpoints { get; } =
    [
        """
        {"clusterName": "e", "endpoints": [
          {"locality": {"region": "eu", "zone": "a"}, "loadBalancingWeight": 3, "lbEndpoints": [
            {"endpoint": {"address": {"socketAddress": {"address": "10.0.0.1", "portValue": 80}}, "hostname": "h1"}, "loadBalancingWeight": 2, "healthStatus": "HEALTHY", "metadata": {"filterMetadata": {"envoy.lb": {"hash_key": "k", "version": "v1"}}}},
            {"endpoint": {"address": {"socketAddress": {"address": "10.0.0.2", "portValue": 80}}}, "loadBalancingWeight": 1, "healthStatus": "DEGRADED"}]},
          {"locality": {"region": "eu", "zone": "b"}, "priority": 1, "loadBalancingWeight": 1, "lbEndpoints": [
            {"endpoint": {"address": {"socketAddress": {"address": "10.0.0.3", "portValue": 80}}}, "healthStatus": "UNHEALTHY"},
            {"endpoint": {"address": {"socketAddress": {"address": "::1", "portValue": 80}}}}]}],
         "policy": {"overprovisioningFactor": 140, "dropOverloads": [{"category": "c", "dropPercentage": {"numerator": 1}}], "weightedPriorityHealth": true}}
        """,
    ];
}
