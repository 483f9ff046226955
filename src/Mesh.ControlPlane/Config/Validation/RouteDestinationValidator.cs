using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Destinations with weights, of HTTP, TCP and TLS routes.</summary>
internal static class RouteDestinationValidator
{
    public static void ValidateAll(IReadOnlyList<(Destination? Destination, int Weight)> routes, string path, ValidationContext context)
    {
        long total = 0;
        var negative = false;
        for (var i = 0; i < routes.Count; i++)
        {
            var (destination, weight) = routes[i];
            if (destination is null)
            {
                context.Error($"{path}[{i}].destination", "is required: name the host to route to.");
            }
            else
            {
                Validate(destination, $"{path}[{i}].destination", context);
            }

            if (weight < 0)
            {
                negative = true;
                context.Error($"{path}[{i}].weight", $"must not be negative, but is {weight}.");
            }

            total += weight;
        }

        if (routes.Count > 1 && Unweighted(routes.Count, path, context))
        {
            return;
        }

        if (routes.Count > 1 && total == 0 && !negative)
        {
            context.Error(path, "the weights add up to 0, so no destination could be chosen: give at least one a weight.");
        }
        else if (total > uint.MaxValue)
        {
            context.Error(path, $"the weights add up to {total}, more than the {uint.MaxValue} that xDS can carry.");
        }
    }

    /// <summary>Weights on one side only: what has none would get nothing, which nobody means.</summary>
    private static bool Unweighted(int count, string path, ValidationContext context)
    {
        var without = Enumerable.Range(0, count).Where(i => context.IsWritten($"{path}[{i}].weight") == false).ToList();
        if (without.Count == count)
        {
            return false;
        }

        foreach (var i in without)
        {
            context.Error($"{path}[{i}]", "has no weight, although others have one: give it its share, or 0 to send nothing there.");
        }

        return without.Count > 0;
    }

    public static void Validate(Destination destination, string path, ValidationContext context)
    {
        if (destination.Host.Length == 0)
        {
            context.Error($"{path}.host", "is required: name the service to route to, such as reviews or reviews.default.svc.cluster.local.");
        }
        else if (destination.Host == "*" || !(DnsName.IsWildcardHost(destination.Host) || DnsName.IsAddress(destination.Host)))
        {
            context.Error($"{path}.host", $"\"{destination.Host}\" is not a host.");
        }

        if (destination.Subset.Length > 0 && !DnsName.IsLabel(destination.Subset))
        {
            context.Error($"{path}.subset", $"\"{destination.Subset}\" is not a subset's name: letters, digits and '-', at most 63.");
        }

        if (destination.Port is { } port)
        {
            FieldRules.Port(port.Number, $"{path}.port.number", context);
        }
    }
}
