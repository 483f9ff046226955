using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>What a request has to bring (<c>JwtRequirement</c>).</summary>
internal abstract class JwtRequirement
{
    /// <summary>Checks a request; what a good token changes in it is done when this returns.</summary>
    public abstract ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken);

    /// <summary>Whether a good token with such an issuer and such audiences would do, or, without one, none. For explanations.</summary>
    /// <param name="issuer">Who signed it; <see langword="null"/> when there is no token.</param>
    /// <param name="audiences">For whom.</param>
    public abstract bool IsMetBy(string? issuer, IReadOnlyList<string> audiences);

    /// <summary>A token of one provider.</summary>
    internal sealed class Provider(JwtProviderSettings provider, JwtAudiences? audiences) : JwtRequirement
    {
        public override bool IsMetBy(string? issuer, IReadOnlyList<string> named)
            => issuer is not null && (provider.Issuer.Length == 0 || provider.Issuer == issuer) && (audiences ?? provider.Audiences).Allow(named);

        public override string ToString() => provider.Issuer.Length > 0 ? $"a token of {provider.Issuer}" : $"a token of the provider {provider.Name}";

        public override ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken)
            => authenticator.VerifyAsync(provider, audiences ?? provider.Audiences, cancellationToken);
    }

    /// <summary>All of several.</summary>
    internal sealed class All(JwtRequirement[] requirements) : JwtRequirement
    {
        public override bool IsMetBy(string? issuer, IReadOnlyList<string> audiences) => requirements.All(r => r.IsMetBy(issuer, audiences));

        public override string ToString() => string.Join(" and ", requirements.Select(r => r.ToString()));

        public override async ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken)
        {
            foreach (var requirement in requirements)
            {
                var status = await requirement.VerifyAsync(authenticator, cancellationToken).ConfigureAwait(false);
                if (!status.IsOk)
                {
                    return status;
                }
            }

            return JwtStatus.Ok;
        }
    }

    /// <summary>
    /// One of several. Of the failures the one counts that says most: not that there is no token, nor that it is another issuer's.
    /// </summary>
    /// <param name="requirements">The alternatives.</param>
    /// <param name="allowsMissing">No token at all will do, too; a bad one never does.</param>
    /// <param name="allowsFailed">Anything will do; what a good token brings is taken.</param>
    internal sealed class Any(JwtRequirement[] requirements, bool allowsMissing, bool allowsFailed) : JwtRequirement
    {
        public override bool IsMetBy(string? issuer, IReadOnlyList<string> audiences)
            => allowsFailed || (allowsMissing && issuer is null) || requirements.Any(r => r.IsMetBy(issuer, audiences));

        public override string ToString()
            => string.Join(" or ", requirements.Select(r => r.ToString()).Concat(allowsFailed ? ["anything"] : allowsMissing ? ["none at all"] : []));

        public override async ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken)
        {
            var worst = JwtStatus.Missing;
            foreach (var requirement in requirements)
            {
                var status = await requirement.VerifyAsync(authenticator, cancellationToken).ConfigureAwait(false);
                if (status.IsOk)
                {
                    return status;
                }

                if (ReferenceEquals(worst, JwtStatus.Missing)
                    || (ReferenceEquals(worst, JwtStatus.UnknownIssuer) && !ReferenceEquals(status, JwtStatus.Missing)))
                {
                    worst = status;
                }
            }

            return allowsFailed || (allowsMissing && ReferenceEquals(worst, JwtStatus.Missing)) ? JwtStatus.Ok : worst;
        }
    }
}
