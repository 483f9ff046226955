using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>Which responses are errors to outlier detection (<c>HttpProtocolOptions.outlier_detection.error_matcher</c>), by their headers.</summary>
internal abstract class ErrorMatcher
{
    public bool IsError(HttpResponseMessage response)
        => IsMatch(new RequestView("", "", "", "", HttpResponseHeaderReader.Instance, response));

    protected abstract bool IsMatch(scoped in RequestView response);

    internal sealed class Always : ErrorMatcher
    {
        protected override bool IsMatch(scoped in RequestView response) => true;
    }

    internal sealed class Headers(HeaderMatcher[] matchers) : ErrorMatcher
    {
        protected override bool IsMatch(scoped in RequestView response)
        {
            foreach (var matcher in matchers)
            {
                if (!matcher.IsMatch(response))
                {
                    return false;
                }
            }

            return true;
        }
    }

    internal sealed class Not(ErrorMatcher rule) : ErrorMatcher
    {
        protected override bool IsMatch(scoped in RequestView response) => !rule.IsMatch(response);
    }

    internal sealed class All(ErrorMatcher[] rules) : ErrorMatcher
    {
        protected override bool IsMatch(scoped in RequestView response)
        {
            foreach (var rule in rules)
            {
                if (!rule.IsMatch(response))
                {
                    return false;
                }
            }

            return true;
        }
    }

    internal sealed class Any(ErrorMatcher[] rules) : ErrorMatcher
    {
        protected override bool IsMatch(scoped in RequestView response)
        {
            foreach (var rule in rules)
            {
                if (rule.IsMatch(response))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
