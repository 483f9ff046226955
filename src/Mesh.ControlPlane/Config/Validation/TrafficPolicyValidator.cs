using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>The traffic policy of a DestinationRule or of a subset, with its settings for ports.</summary>
internal static class TrafficPolicyValidator
{
    /// <param name="policy">The policy.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="context">Takes what is found.</param>
    /// <param name="inherited">The policy whose parts it takes over where it has none of its own.</param>
    public static void Validate(TrafficPolicy? policy, string path, ValidationContext context, TrafficPolicy? inherited = null)
    {
        if (policy is null)
        {
            return;
        }

        if (policy is { LoadBalancer: null, ConnectionPool: null, OutlierDetection: null, Tls: null, Tunnel: null, ProxyProtocol: null, RetryBudget: null, PortLevelSettings.Count: 0 })
        {
            context.Error(path, "sets nothing: give it loadBalancer, connectionPool, outlierDetection, tls, portLevelSettings or retryBudget, or remove it.");
        }

        if (policy is { Tunnel: not null, ProxyProtocol: not null })
        {
            context.Error($"{path}.tunnel", "cannot be given beside proxyProtocol: keep one.");
        }

        LoadBalancerValidator.Validate(policy.LoadBalancer, policy.OutlierDetection ?? inherited?.OutlierDetection, $"{path}.loadBalancer", context);
        ConnectionPoolValidator.Validate(policy.ConnectionPool, $"{path}.connectionPool", context);
        OutlierDetectionValidator.Validate(policy.OutlierDetection, $"{path}.outlierDetection", context);
        ClientTlsValidator.Validate(policy.Tls, $"{path}.tls", context);
        RetryBudget(policy.RetryBudget, $"{path}.retryBudget", context);
        var ports = new HashSet<uint>();
        for (var i = 0; i < policy.PortLevelSettings.Count; i++)
        {
            Port(policy.PortLevelSettings[i], $"{path}.portLevelSettings[{i}]", ports, context);
        }
    }

    private static void Port(TrafficPolicy.Types.PortTrafficPolicy settings, string path, HashSet<uint> ports, ValidationContext context)
    {
        if (settings.Port is null)
        {
            context.Error($"{path}.port", "is required: name the port by its number.");
        }
        else
        {
            FieldRules.Port(settings.Port.Number, $"{path}.port.number", context);
            if (!ports.Add(settings.Port.Number))
            {
                context.Error($"{path}.port.number", $"the port {settings.Port.Number} is given twice: keep one.");
            }
        }

        if (settings is { Port: not null, LoadBalancer: null, ConnectionPool: null, OutlierDetection: null, Tls: null })
        {
            context.Error(path, "sets nothing for the port: give it loadBalancer, connectionPool, outlierDetection or tls, or remove it.");
        }

        LoadBalancerValidator.Validate(settings.LoadBalancer, settings.OutlierDetection, $"{path}.loadBalancer", context);
        ConnectionPoolValidator.Validate(settings.ConnectionPool, $"{path}.connectionPool", context);
        OutlierDetectionValidator.Validate(settings.OutlierDetection, $"{path}.outlierDetection", context);
        ClientTlsValidator.Validate(settings.Tls, $"{path}.tls", context);
    }

    private static void RetryBudget(TrafficPolicy.Types.RetryBudget? budget, string path, ValidationContext context)
    {
        if (budget?.Percent is not null and not (>= 0 and <= 100))
        {
            context.Error($"{path}.percent", $"must be from 0 to 100, not {budget.Percent}.");
        }

        FieldRules.AtLeastAMillisecond(budget?.BudgetInterval, $"{path}.budgetInterval", context);
    }
}
