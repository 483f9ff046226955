using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>What a request has to bring (<c>JwtRequirement</c>).</summary>
internal abstract class JwtRequirement
{
    /// <summary>Checks a request; what a good token changes in it is done when this returns.</summary>
    public abstract ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken);

    /// <summary>A token of one provider.</summary>
    internal sealed class Provider(JwtProviderSettings provider, JwtAudiences? audiences) : JwtRequirement
    {
        public override ValueTask<JwtStatus> VerifyAsync(JwtAuthenticator authenticator, CancellationToken cancellationToken)
            => authenticator.VerifyAsync(provider, audiences ?? provider.Audiences, cancellationToken);
    }

    /// <summary>All of several.</summary>
    internal sealed class All(JwtRequirement[] requirements) : JwtRequirement
    {
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
