using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Conditions: a key that is known, with values of its kind.</summary>
internal static class AuthorizationConditionValidator
{
    private static readonly string[] NotForCustom =
        [AuthorizationKeys.SourceNamespace, AuthorizationKeys.SourceServiceAccount, AuthorizationKeys.SourceTrustDomain, AuthorizationKeys.SourcePrincipal];

    private const string Known = "request.headers[…], request.auth.principal, .audiences, .presenter and .claims[…], source.ip, .principal, .namespace, .serviceAccount and .trustDomain, "
        + "remote.ip, destination.ip and .port, connection.sni, experimental.envoy.filters.…[…]";

    public static void Validate(Condition condition, string path, bool isCustom, ValidationContext context)
    {
        var key = condition.Key;
        if (key.Length == 0)
        {
            context.Error($"{path}.key", "`key` must not be empty.");
            return;
        }

        if (isCustom && (NotForCustom.Contains(key) || key.StartsWith("request.auth.", StringComparison.Ordinal)))
        {
            context.Error($"{path}.key", $"\"{key}\" is currently not supported with CUSTOM action.");
        }

        if (condition.Values.Count == 0 && condition.NotValues.Count == 0)
        {
            context.Error(path, $"at least one of `values` or `notValues` must be set for key \"{key}\".");
            return;
        }

        if (WrongKey(key) is { } wrong)
        {
            context.Error($"{path}.key", wrong);
            return;
        }

        Values(key, condition.Values, $"{path}.values", context);
        Values(key, condition.NotValues, $"{path}.notValues", context);
    }

    private static void Values(string key, IReadOnlyList<string> values, string path, ValidationContext context)
    {
        Action<IReadOnlyList<string>, string, ValidationContext> check = key switch
        {
            AuthorizationKeys.SourceIp or AuthorizationKeys.RemoteIp or AuthorizationKeys.DestinationIp => AuthorizationValues.Addresses,
            AuthorizationKeys.DestinationPort => AuthorizationValues.Ports,
            AuthorizationKeys.SourceServiceAccount => AuthorizationValues.ServiceAccounts,
            AuthorizationKeys.SourceTrustDomain => AuthorizationValues.TrustDomains,
            _ => AuthorizationValues.NotEmpty,
        };
        check(values, path, context);
    }

    /// <returns>What is wrong with the key, or <see langword="null"/>.</returns>
    private static string? WrongKey(string key) => key switch
    {
        AuthorizationKeys.SourceIp or AuthorizationKeys.RemoteIp or AuthorizationKeys.SourceNamespace or AuthorizationKeys.SourceServiceAccount
            or AuthorizationKeys.SourcePrincipal or AuthorizationKeys.SourceTrustDomain or AuthorizationKeys.RequestPrincipal
            or AuthorizationKeys.RequestAudiences or AuthorizationKeys.RequestPresenter or AuthorizationKeys.DestinationIp
            or AuthorizationKeys.DestinationPort or AuthorizationKeys.ConnectionSni => null,
        "destination.namespace" => $"attribute {key} is replaced by the metadata.namespace.",
        "destination.name" or "destination.user" => $"deprecated attribute {key}: only supported in v1alpha1.",
        _ when key.StartsWith("destination.labels", StringComparison.Ordinal) => $"attribute {key} is replaced by the workload selector.",
        _ when key.StartsWith(AuthorizationKeys.RequestHeaders, StringComparison.Ordinal) => WrongName(key, AuthorizationKeys.RequestHeaders, isNested: false),
        _ when key.StartsWith(AuthorizationKeys.RequestClaims, StringComparison.Ordinal) => WrongName(key, AuthorizationKeys.RequestClaims, isNested: true),
        _ when key.StartsWith(AuthorizationKeys.EnvoyFilters, StringComparison.Ordinal) => AuthorizationKeys.FilterAndKey(key) is null ? $"bad key ({key}): should have format a[b]." : null,
        _ => $"unknown attribute: {key}: known are {Known}.",
    };

    private static string? WrongName(string key, string prefix, bool isNested)
    {
        var names = isNested ? AuthorizationKeys.NestedNames(key[prefix.Length..]) : AuthorizationKeys.Name(key[prefix.Length..]) is { } name ? [name] : null;
        return names is null || names.Any(name => name.Length == 0)
            ? $"bad key ({key}): should have format a[b]."
            : !isNested && !FieldRules.IsHeaderName(names[0].StartsWith(':') ? names[0][1..] : names[0])
                ? $"\"{names[0]}\" is not the name of a header."
                : null;
    }
}
