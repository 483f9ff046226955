namespace Mesh.Hostile;

/// <summary>A mesh that uses most of what its documents can say, to be broken from there.</summary>
internal static class HostileYaml
{
    public const string Good = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080, targetPort: 8080}, {name: grpc, port: 9090, appProtocol: grpc}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: ratings}
        spec:
          selector: {app: ratings}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: api}
        spec:
          hosts: [api.example.com, "*.wild.example.com"]
          addresses: [240.0.0.1, 10.1.0.0/16]
          location: MESH_EXTERNAL
          resolution: STATIC
          exportTo: ["*"]
          subjectAltNames: [spiffe://a]
          ports: [{name: http, number: 80, protocol: HTTP, targetPort: 8080}]
          endpoints:
          - {address: 10.0.0.1, labels: {version: v1}, ports: {http: 8081}, locality: eu/a/1, weight: 3, network: net}
          - {address: 10.0.0.2, serviceAccount: sa}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: dns}
        spec:
          hosts: [dns.example.com]
          resolution: DNS
          ports: [{name: http, number: 80, protocol: HTTP}]
          endpoints: [{address: a.example.com, weight: 2}, {address: b.example.com, locality: eu}]
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: vm}
        spec:
          hosts: [vm.example.com]
          resolution: STATIC
          location: MESH_INTERNAL
          ports: [{name: http, number: 80, protocol: HTTP}]
          workloadSelector: {labels: {app: vm}}
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: vm1}
        spec: {address: 10.0.0.9, labels: {app: vm}, ports: {http: 8080}, locality: eu/b, weight: 7, serviceAccount: x}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews}
        spec:
          host: reviews
          exportTo: ["."]
          workloadSelector: {matchLabels: {app: web}}
          trafficPolicy:
            connectionPool:
              tcp: {maxConnections: 10, connectTimeout: 1s, maxConnectionDuration: 10s, idleTimeout: 5s, tcpKeepalive: {probes: 3, time: 10s, interval: 5s}}
              http: {http1MaxPendingRequests: 5, http2MaxRequests: 7, maxRequestsPerConnection: 2, maxRetries: 3, idleTimeout: 3s, h2UpgradePolicy: DO_NOT_UPGRADE, useClientProtocol: false, maxConcurrentStreams: 9}
            loadBalancer:
              consistentHash: {httpCookie: {name: user, path: /, ttl: 3s}, ringHash: {minimumRingSize: 1024}}
              localityLbSetting: {enabled: true, failoverPriority: [topology.kubernetes.io/region, "version=v1"]}
              warmup: {duration: 10s, minimumPercent: 10, aggression: 1.5}
            outlierDetection: {consecutive5xxErrors: 3, consecutiveGatewayErrors: 2, consecutiveLocalOriginFailures: 5, splitExternalLocalOriginErrors: true, interval: 5s, baseEjectionTime: 30s, maxEjectionPercent: 50, minHealthPercent: 20}
            portLevelSettings: [{port: {number: 9080}, loadBalancer: {simple: LEAST_REQUEST}}]
          subsets:
          - {name: v1, labels: {version: v1}}
          - {name: v2, labels: {version: v2}, trafficPolicy: {loadBalancer: {simple: RANDOM, localityLbSetting: {distribute: [{from: eu/*, to: {"eu/a/*": 80, "eu/b/*": 20}}]}}}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: ratings}
        spec:
          host: ratings
          trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user, maglev: {tableSize: 5003}}, localityLbSetting: {failover: [{from: eu, to: us}]}}}
          subsets: [{name: v1, labels: {version: v1}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews}
        spec:
          hosts: [reviews, reviews.other]
          exportTo: ["*"]
          gateways: [mesh]
          http:
          - name: one
            match:
            - {name: m, uri: {prefix: /api}, method: {exact: GET}, authority: {prefix: rev}, scheme: {exact: http}, headers: {x-a: {exact: b}, x-b: {regex: "a.*"}}, withoutHeaders: {x-c: {prefix: d}}, queryParams: {q: {exact: z}, r: {regex: "[0-9]+"}}, port: 9080, sourceLabels: {app: web}, sourceNamespace: default, ignoreUriCase: true, statPrefix: s}
            - {uri: {regex: "^/x(.*)$"}}
            rewrite: {uri: /v2}
            timeout: 5s
            retries: {attempts: 3, perTryTimeout: 1s, retryOn: "5xx,reset,503", retryRemoteLocalities: true, retryIgnorePreviousHosts: true, backoff: 25ms}
            fault: {delay: {percentage: {value: 10}, fixedDelay: 1s}, abort: {percentage: {value: 0.1}, httpStatus: 503}}
            mirrors: [{destination: {host: ratings}, percentage: {value: 50}}]
            corsPolicy: {allowOrigins: [{exact: "http://a"}, {regex: "b.*"}], allowMethods: [GET], allowHeaders: [x-a], exposeHeaders: [x-b], maxAge: 24h, allowCredentials: true, unmatchedPreflights: FORWARD}
            headers: {request: {set: {x-set: "%REQ(x-a)%", Host: ratings}, add: {x-add: b}, remove: [x-gone]}, response: {set: {x-r: "%RESPONSE_CODE%"}, remove: [server]}}
            route:
            - {destination: {host: reviews, subset: v1, port: {number: 9080}}, weight: 70, headers: {request: {add: {x-w: "1"}}}}
            - {destination: {host: reviews, subset: v2, port: {number: 9080}}, weight: 30}
          - match: [{uri: {prefix: /old}}]
            redirect: {uri: /new, authority: ratings, redirectCode: 307, scheme: https, port: 8443}
          - match: [{uri: {prefix: /gone}}]
            directResponse: {status: 410, body: {string: gone}}
            headers: {response: {set: {x-b: c}}}
          - match: [{uri: {prefix: /re}}]
            rewrite: {uriRegexRewrite: {match: "^/re/(.*)$", rewrite: "/\\1"}}
            mirror: {host: ratings, subset: v1}
            mirrorPercentage: {value: 5}
            route: [{destination: {host: ratings}}]
          - match: [{uri: {prefix: /delegated}}]
            delegate: {name: part, namespace: default}
          - route: [{destination: {host: reviews, port: {number: 9080}}}]
          tcp:
          - {match: [{port: 9090, destinationSubnets: [10.0.0.0/8], sourceLabels: {a: b}}], route: [{destination: {host: reviews}, weight: 100}]}
          tls:
          - {match: [{port: 443, sniHosts: [reviews]}], route: [{destination: {host: reviews}}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: part}
        spec:
          http: [{match: [{uri: {prefix: /delegated/a}, headers: {x: {exact: yy}}}], route: [{destination: {host: ratings}}]}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: second}
        spec:
          hosts: [reviews, "*.wild.example.com", api.example.com, vm.example.com, dns.example.com]
          http: [{route: [{destination: {host: ratings}}]}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: other}
        spec:
          hosts: [reviews.default.svc.cluster.local]
          http: [{route: [{destination: {host: reviews.default.svc.cluster.local}}]}]
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: peers}
        spec:
          selector: {matchLabels: {app: reviews}}
          mtls: {mode: STRICT}
          portLevelMtls: {8080: {mode: PERMISSIVE}, 8081: {mode: DISABLE}}
        ---
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: users}
        spec:
          jwtRules:
          - {issuer: "https://a", jwksUri: "https://a/keys", audiences: [a], fromHeaders: [{name: x-token, prefix: "T "}], fromParams: [t], fromCookies: [c], timeout: 3s}
          - {issuer: b, jwks: '{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}',
             outputPayloadToHeader: x-payload, forwardOriginalToken: true, outputClaimToHeaders: [{header: x-sub, claim: sub}], spaceDelimitedClaims: [roles]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow}
        spec:
          selector: {matchLabels: {app: reviews}}
          rules:
          - from:
            - source: {principals: ["cluster.local/ns/default/sa/web", "*"], namespaces: [a, "b*"], requestPrincipals: ["a/*"], ipBlocks: [10.0.0.0/8], notRemoteIpBlocks: ["::1"], trustDomains: [td, "*td"]}
            - source: {serviceAccounts: [web, a/web]}
            to:
            - operation: {hosts: ["*.example.com", a], ports: ["8080"], methods: [GET], paths: ["/a", "/b*", "*c", "*", "/d/{*}/{**}"], notPaths: ["/e"]}
            when:
            - {key: "request.headers[x-a]", values: [a], notValues: ["b*"]}
            - {key: "request.auth.claims[a][b]", values: [a, "*"]}
            - {key: destination.port, values: ["8080"]}
            - {key: connection.sni, notValues: ["*.x"]}
            - {key: "experimental.envoy.filters.a.b[c]", values: ["[d]", e]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: custom}
        spec:
          action: CUSTOM
          provider: {name: opa}
          rules: [{to: [{operation: {paths: ["/admin*"]}}]}]
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: signals}
        spec:
          selector: {matchLabels: {app: reviews}}
          tracing:
          - providers: [{name: zipkin}]
            match: {mode: CLIENT_AND_SERVER}
            randomSamplingPercentage: 12.5
            customTags: {a: {literal: {value: b}}, c: {header: {name: x-c, defaultValue: d}}, e: {environment: {name: E, defaultValue: f}}, g: {formatter: {value: "%REQ(x-g)%"}}}
            useRequestIdForTraceSampling: false
            enableIstioTags: true
            disableContextPropagation: true
          metrics:
          - providers: [{name: prometheus}]
            reportingInterval: 10s
            overrides:
            - match: {metric: REQUEST_COUNT, mode: CLIENT}
              tagOverrides: {request_host: {value: request.host}, response_flags: {operation: REMOVE}}
            - match: {customMetric: mine}
              disabled: true
          accessLogging:
          - providers: [{name: file}, {name: als}, {name: tcp}, {name: otel}]
            match: {mode: SERVER}
            filter: {expression: "response.code >= 400 || request.headers['x-debug'] == 'on'"}
        ---
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        metadata: {name: mesh, namespace: istio-system}
        spec:
          accessLogFile: /dev/stdout
          accessLogFormat: "%START_TIME(%Y/%m/%dT%H:%M:%S%z)% %REQ(x-a?x-b):16% %RESPONSE_CODE%"
          enableTracing: true
          defaultProviders: {tracing: [zipkin], metrics: [prometheus], accessLogging: [envoy]}
          extensionProviders:
          - name: zipkin
            zipkin: {service: ratings.default.svc.cluster.local, port: 9080, maxTagLength: 128, path: /api/v2/spans, timeout: 3s, headers: [{name: x-key, value: v}]}
          - name: spans
            opentelemetry: {service: ratings.default.svc.cluster.local, port: 9080, http: {path: /v1/traces, timeout: 3s, headers: [{name: x-key, value: v}]}}
          - name: file
            envoyFileAccessLog: {path: /dev/stderr, logFormat: {labels: {a: "%PROTOCOL%", b: {c: "%DURATION%"}}}, omitEmptyValues: true}
          - name: als
            envoyHttpAls: {service: ratings.default.svc.cluster.local, port: 9080, logName: log, additionalRequestHeadersToLog: [x-a], additionalResponseHeadersToLog: [x-b], additionalResponseTrailersToLog: [x-c]}
          - name: tcp
            envoyTcpAls: {service: ratings.default.svc.cluster.local, port: 9080, filterStateObjectsToLog: [a]}
          - name: otel
            envoyOtelAls: {service: ratings.default.svc.cluster.local, port: 9080, logFormat: {text: "%PROTOCOL%", labels: {a: "%DURATION%"}}}
          defaultConfig:
            tracing: {sampling: 50, maxPathTagLength: 64, customTags: {a: {literal: {value: b}}}}
            meshId: m
        """;
}
