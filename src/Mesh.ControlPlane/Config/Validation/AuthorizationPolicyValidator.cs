using Istio.Security.V1Beta1;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;

namespace Mesh.ControlPlane.Config.Validation;

internal static class AuthorizationPolicyValidator
{
    public static void Validate(AuthorizationPolicy spec, ValidationContext context)
    {
        PolicySelectorValidator.Validate(spec.Selector, spec.TargetRef, spec.TargetRefs, context);
        if (spec is { Action: Action.Custom or Action.Deny, Rules.Count: 0 })
        {
            context.Error(
                "rules",
                $"{Name(spec.Action)} action without `rules` is meaningless as it will never be triggered, add an empty rule `{{}}` if you want it be triggered for every request.");
        }

        if (spec.Action == Action.Custom)
        {
            if (spec.Rules.Count > 0 && spec.Provider is not { Name.Length: > 0 })
            {
                context.Error("provider.name", "`provider.name` must not be empty: name one of the extensionProviders of the MeshConfig.");
            }
        }
        else if (spec.Provider is not null)
        {
            context.Error("provider", $"`provider` must not be with non CUSTOM action, found {Name(spec.Action)}.");
        }

        for (var i = 0; i < spec.Rules.Count; i++)
        {
            Validate(spec, spec.Rules[i], $"rules[{i}]", context);
        }
    }

    private static void Validate(AuthorizationPolicy spec, Rule rule, string path, ValidationContext context)
    {
        if (rule.From.Count == 0 && context.IsWritten($"{path}.from") == true)
        {
            context.Error($"{path}.from", "`from` must not be empty: leave it out for any source.");
        }

        for (var i = 0; i < rule.From.Count; i++)
        {
            if (rule.From[i].Source is { } source)
            {
                AuthorizationSourceValidator.Validate(source, $"{path}.from[{i}].source", spec.Action == Action.Custom, context);
            }
            else
            {
                context.Error($"{path}.from[{i}]", "`from.source` must not be nil: name a source.");
            }
        }

        if (rule.To.Count == 0 && context.IsWritten($"{path}.to") == true)
        {
            context.Error($"{path}.to", "`to` must not be empty: leave it out for any operation.");
        }

        for (var i = 0; i < rule.To.Count; i++)
        {
            if (rule.To[i].Operation is { } operation)
            {
                AuthorizationOperationValidator.Validate(operation, $"{path}.to[{i}].operation", context);
            }
            else
            {
                context.Error($"{path}.to[{i}]", "`to.operation` must not be nil: name an operation.");
            }
        }

        for (var i = 0; i < rule.When.Count; i++)
        {
            AuthorizationConditionValidator.Validate(rule.When[i], $"{path}.when[{i}]", spec.Action == Action.Custom, context);
        }

        if (spec.Action == Action.Deny && DeniesAllTcp(rule))
        {
            context.Warn(
                path,
                "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; "
                + "it is recommended to explicitly specify the port.");
        }
    }

    /// <summary>A port that is not HTTP keeps of a DENY rule only what can be asked of a connection: nothing, here.</summary>
    private static bool DeniesAllTcp(Rule rule)
    {
        var sources = rule.From.Select(from => from.Source).OfType<Source>().ToArray();
        var operations = rule.To.Select(to => to.Operation).OfType<Operation>().ToArray();
        return operations.Length > 0
            ? operations.All(operation => operation.Ports.Count + operation.NotPorts.Count == 0)
            : sources.Length > 0 && sources.All(source => !AuthorizationSourceValidator.IsOfConnections(source));
    }

    private static string Name(Action action) => action switch
    {
        Action.Deny => "DENY",
        Action.Audit => "AUDIT",
        Action.Custom => "CUSTOM",
        _ => "ALLOW",
    };
}
