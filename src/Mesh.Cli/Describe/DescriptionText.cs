using System.Text.Json.Nodes;
using Mesh.Xds.Validation;

namespace Mesh.Cli.Describe;

/// <summary>What a control plane says of something, as people read it.</summary>
internal sealed class DescriptionText(TextWriter output)
{
    private const string Rule = "--------------------";

    public void WriteWorkload(JsonNode described)
    {
        var workload = described["workload"]!;
        Line($"Workload: {workload["name"]}.{workload["namespace"]}");
        Line($"   Labels: {Pairs(workload["labels"])}");
        Line($"   Ports: {Pairs(workload["ports"])}");
        if (described["principal"] is { } principal)
        {
            Line($"   Identity: {principal}");
        }

        if (described["proxy"] is { } proxy)
        {
            Line($"   Proxy: {proxy["name"]} ({proxy["version"]})");
            foreach (var type in Items(proxy["types"]).Where(type => type["error"] is not null))
            {
                Line($"   REFUSED {type["name"]}: {type["error"]}");
            }
        }
        else
        {
            Line("   Proxy: none; a document lists it, and no process of it is connected");
        }

        var services = Items(described["services"]).ToArray();
        if (services.Length == 0)
        {
            Line("   No service selects it: nobody calls it by a service's name.");
        }

        foreach (var service in services)
        {
            Line(Rule);
            WriteService(service, isWorkload: true);
        }

        Line(Rule);
        WritePolicies(described["policies"]!);
        if (described["sidecar"] is { } sidecar)
        {
            Line($"Sidecar: {Named(sidecar)} says what it may call");
        }
    }

    public void WriteServices(JsonNode described)
    {
        var isFirst = true;
        foreach (var service in Items(described["services"]))
        {
            if (!isFirst)
            {
                Line(Rule);
            }

            isFirst = false;
            WriteService(service, isWorkload: false);
        }
    }

    public void WriteHost(JsonNode described)
    {
        if (described["means"] is not { } means)
        {
            var policy = described["outboundTrafficPolicy"]?.ToString();
            Line($"Host: {described["host"]}, called from namespace {described["from"]}");
            Line($"   The mesh knows no such host there: {(policy == "REGISTRY_ONLY" ? "calls to it are refused" : "calls to it go out as they are")} ({policy}).");
            return;
        }

        Line($"Host: {described["host"]}, called from namespace {described["from"]}, means {means}");
        foreach (var service in Items(described["services"]))
        {
            WriteService(service, isWorkload: false);
        }
    }

    private void WriteService(JsonNode service, bool isWorkload)
    {
        Line($"Service: {service["name"]}.{service["namespace"]}{(IsTrue(service["meshExternal"]) ? " (outside the mesh)" : "")}");
        Line($"   Host: {service["host"]}");
        foreach (var port in Items(service["ports"]))
        {
            Line($"   Port: {port["name"]} {port["port"]}/{port["protocol"]}{(isWorkload ? port["target"] is { } target ? $" at {target}" : ", which this workload does not serve" : "")}");
        }

        if (!isWorkload)
        {
            WriteEndpoints(service);
        }

        if (!IsTrue(service["isVisible"]))
        {
            Line($"   Not visible in namespace {service["seenFrom"]} (exportTo).");
        }

        WriteDestinationRule(service["destinationRule"], isWorkload);
        WriteVirtualService(service["virtualService"]);
        if (!isWorkload)
        {
            Line($"Mutual TLS: {service["mutualTls"]} in namespace {service["namespace"]}; clients {(IsTrue(service["autoMutualTls"]) ? "use it with workloads that speak it, unless a DestinationRule says otherwise" : "use it where a DestinationRule says so")}");
        }
    }

    private void WriteEndpoints(JsonNode service)
    {
        var endpoints = Items(service["endpoints"]).ToArray();
        Line(endpoints.Length == 0 ? "   Endpoints: none, so calls to it fail" : "   Endpoints:");
        foreach (var endpoint in endpoints)
        {
            var subsets = Texts(endpoint["subsets"]);
            Line($"      {endpoint["address"]} {endpoint["workload"]}{(subsets.Length > 0 ? $" (subset {string.Join(", ", subsets)})" : "")}");
        }
    }

    private void WriteDestinationRule(JsonNode? rule, bool isWorkload)
    {
        if (rule is null)
        {
            return;
        }

        Line($"DestinationRule: {Named(rule)} for \"{rule["host"]}\"");
        var subsets = Texts(rule["subsets"]);
        if (isWorkload)
        {
            var matching = Texts(rule["matchingSubsets"]);
            Line($"   Matching subsets: {(matching.Length > 0 ? string.Join(", ", matching) : "none")}");
            if (subsets.Except(matching).Any())
            {
                Line($"      (Non-matching subsets {string.Join(", ", subsets.Except(matching))})");
            }
        }
        else
        {
            Line($"   Subsets: {(subsets.Length > 0 ? string.Join(", ", subsets) : "none")}");
        }

        var policy = rule["trafficPolicy"]?.ToString() ?? "";
        Line($"   {(policy == "no traffic policy" ? "No Traffic Policy" : "Traffic Policy: " + policy)}");
    }

    private void WriteVirtualService(JsonNode? rule)
    {
        if (rule is null)
        {
            return;
        }

        Line($"VirtualService: {Named(rule)}");
        var routes = Items(rule["routes"]).ToArray();
        for (var i = 0; i < routes.Length; i++)
        {
            var also = Texts(routes[i]["also"]);
            var name = routes[i]["name"] is { } given ? $" \"{given}\"" : "";
            Line($"   {i + 1}.{name} {routes[i]["when"]} -> {routes[i]["to"]}{(also.Length > 0 ? $" ({string.Join(", ", also)})" : "")}{(routes[i]["reaches"] is { } reaches && !IsTrue(reaches) ? ", never to this workload" : "")}");
        }

        if (routes.Length > 0 && routes.All(route => route["reaches"] is { } reaches && !IsTrue(reaches)))
        {
            Line("   WARNING: no route leads to this workload.");
        }

        if (int.TryParse(rule["connectionRoutes"]?.ToString(), out var connections) && connections > 0)
        {
            Line($"   {connections} route(s) for connections (tcp, tls)");
        }
    }

    private void WritePolicies(JsonNode policies)
    {
        Line("Effective PeerAuthentication:");
        Line($"   Workload mTLS mode: {policies["mutualTls"]}{(policies["mutualTlsOfPorts"] is JsonObject { Count: > 0 } ports ? $" (port {string.Join(", port ", ports.Select(port => $"{port.Key}: {port.Value}"))})" : "")}");
        var peers = Items(policies["peerAuthentications"]).ToArray();
        if (peers.Length > 0)
        {
            Line($"   Applied PeerAuthentication: {string.Join(", ", peers.Select(Named))}");
        }

        foreach (var request in Items(policies["requestAuthentications"]))
        {
            Line($"RequestAuthentication: {Named(request)}, tokens of {string.Join(", ", Texts(request["issuers"]))}");
        }

        var authorizations = Items(policies["authorizationPolicies"]).ToArray();
        foreach (var policy in authorizations)
        {
            Line($"AuthorizationPolicy: {Named(policy)}, {policy["action"]} by {policy["rules"]} rule(s){(IsTrue(policy["isDryRun"]) ? ", dry run: told of and not enforced" : "")}");
        }

        Line(authorizations.Length == 0 ? "Nobody is refused: no AuthorizationPolicy is for it."
            : authorizations.Any(policy => policy["action"]?.ToString() == "ALLOW" && !IsTrue(policy["isDryRun"])) ? "   What no ALLOW rule names is refused."
            : "   What no rule refuses is let in.");
    }

    private void Line(string text) => output.WriteLine(PrintableText.Of(text));

    private static string Named(JsonNode reference) => $"{reference["name"]}.{reference["namespace"]} ({reference["source"]})";

    private static IEnumerable<JsonNode> Items(JsonNode? node) => (node as JsonArray ?? []).OfType<JsonNode>();

    private static string[] Texts(JsonNode? node) => [.. Items(node).Select(item => item.ToString())];

    private static string Pairs(JsonNode? node)
        => node is JsonObject { Count: > 0 } pairs ? string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "none";

    private static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;
}
