using Mesh.Xds.Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>Who may ask this control plane what it knows, and who may change it. Nobody may unless it is said, but everybody on this machine may ask.</summary>
internal sealed class RoleBindings
{
    private readonly (MeshControlPlaneRole Role, AccountSet Accounts, TokenFile? Token)[] _bindings;
    private readonly CallerAuthenticator _authenticator;

    public RoleBindings(IEnumerable<MeshRoleBindingOptions> bindings, CallerAuthenticator authenticator)
    {
        _authenticator = authenticator;
        _bindings = [.. bindings.Select(binding => (
            binding.Role,
            AccountSet.Parse(binding.Accounts),
            string.IsNullOrEmpty(binding.TokenFile) ? null : new TokenFile(binding.TokenFile)))];
    }

    public IReadOnlyList<TokenFile> TokenFiles => [.. _bindings.Select(binding => binding.Token).OfType<TokenFile>()];

    /// <summary>Who a caller is, if he has a role.</summary>
    /// <param name="credentials">What he shows.</param>
    /// <param name="role">The role that is needed.</param>
    /// <param name="reason">Why he has it not.</param>
    /// <returns>His name for the audit log; <see langword="null"/> when he has not the role.</returns>
    public string? Find(CallerCredentials credentials, MeshControlPlaneRole role, out string reason)
    {
        reason = "";
        var bindings = _bindings.Where(binding => binding.Role >= role).ToArray();

        // 1. Tokens of roles: all are compared, so that the time tells nothing.
        string? holder = null;
        if (credentials.BearerToken is { Length: > 0 } token)
        {
            var hash = TokenFile.HashOf(token);
            foreach (var binding in bindings)
            {
                holder = binding.Token is { } file && file.Holds(hash) ? $"role token {Path.GetFileName(file.Path)}" : holder;
            }
        }

        if (holder is not null)
        {
            return holder;
        }

        // 2. Identities. Which account a token for several means is not known here: all of them must have the role.
        var (caller, failure) = _authenticator.Authenticate(credentials);
        if (caller is { IsLocalUser: true })
        {
            return caller.Credential;
        }

        if (caller?.Accounts.Single is var (ns, account) && bindings.Any(binding => binding.Accounts.Contains(ns, account)))
        {
            return caller.Credential;
        }

        // 3. This machine, for looking only.
        if (role == MeshControlPlaneRole.StatusReader && failure is null && CallerAuthenticator.IsLocal(credentials.Remote))
        {
            return caller?.Credential ?? "a user of this machine";
        }

        reason = failure ?? (caller is null ? "nothing proves who asks" : $"{caller.Credential} has not the role {role} (Mesh:ControlPlane:Authentication:Roles)");
        return null;
    }
}
